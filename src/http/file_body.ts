/** Sends slices of open files. */

import { BufferPool, MIN_BUFFER } from "./buffers.ts";
import type { FileSlice } from "./exchange.ts";
import type { Transfer } from "./transfer.ts";

/** At most 24 MiB while many transfers run, and 5 MiB kept for reuse when none runs. */
const buffers = new BufferPool(24 * 1024 * 1024, 4);

/**
 * Reads a slice synchronously if it fits into one buffer, and closes its file.
 *
 * @param use gets the bytes, and a function that it must call when the bytes are no longer in use
 * @returns false when the slice does not fit, or the file is too short. Then `use` was not called and
 * the file is still open.
 */
export function readAtOnce(
  slice: FileSlice,
  use: (bytes: Uint8Array, free: (clean: boolean) => void) => void,
): boolean {
  const { file, offset, length } = slice;
  const buffer = buffers.take(length);
  let complete = false;
  try {
    if (length <= buffer.byteLength) {
      file.seekSync(offset, Deno.SeekMode.Start);
      complete = readInto(file, buffer.subarray(0, length)) === length;
    }
  } finally {
    if (!complete) buffers.give(buffer, true);
  }
  if (!complete) return false;
  closeFile(file);
  use(buffer.subarray(0, length), (clean) => buffers.give(buffer, clean));
  return true;
}

/** Closes a file; does nothing if it is closed already. */
export function closeFile(file: Deno.FsFile): void {
  try {
    file.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/**
 * Sends the bytes of a slice, after a head whose `Content-Length` is `slice.length`. If the file has
 * become shorter since, this throws, and the caller must break the connection off; if it has become
 * longer, the new bytes are not sent. The file is closed in any case.
 *
 * The first piece is small, so that the client gets it while the next one is read.
 *
 * Reading is synchronous: a file that several machines ask for is in the page cache, and reading a
 * megabyte from there takes less time than handing the work to another thread.
 *
 * @param last sends the last piece and ends the reply
 * @throws when the file could not be read to the end of the slice.
 */
export async function sendFile(
  transfer: Transfer,
  slice: FileSlice,
  last: (piece: Uint8Array) => Promise<boolean>,
): Promise<void> {
  const { file, offset, length } = slice;
  const buffer = buffers.take(length);
  let complete = false;
  try {
    file.seekSync(offset, Deno.SeekMode.Start);
    let size = Math.min(MIN_BUFFER, buffer.byteLength);
    for (let left = length; left > 0;) {
      const piece = buffer.subarray(0, Math.min(left, size));
      const count = readInto(file, piece);
      if (count < piece.byteLength) {
        await transfer.write(piece.subarray(0, count));
        throw new Error("A file became shorter while it was sent.");
      }
      left -= piece.byteLength;
      size = buffer.byteLength;
      complete = await (left === 0 ? last(piece) : transfer.write(piece));
      if (!complete) return;
    }
  } finally {
    closeFile(file);
    buffers.give(buffer, complete);
  }
}

/** Reads until the buffer is full or the file ends; returns the number of bytes. */
export function readInto(file: Deno.FsFile, buffer: Uint8Array): number {
  let count = 0;
  while (count < buffer.byteLength) {
    const read = file.readSync(count === 0 ? buffer : buffer.subarray(count));
    if (read === null || read === 0) break;
    count += read;
  }
  return count;
}
