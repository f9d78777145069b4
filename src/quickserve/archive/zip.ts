/** Zip archives without compression, because most shared files are compressed already. */

import type { OpenedMember } from "./open.ts";
import type { Member } from "./walk.ts";
import {
  BlockWriter,
  centralHeader,
  dataDescriptor,
  endOfArchive,
  localHeader,
  sizeInBlocks,
  sizeOfArchive,
} from "./zip_records.ts";

/** Pieces smaller than this (bytes) are joined. */
const SMALL_PIECE = 16 * 1024;
const TOGETHER = 64 * 1024;

const encoder = new TextEncoder();

/** Returns the archive, built while it is read. A piece is valid until the reader requests the next. */
export function zipStream(members: AsyncIterable<OpenedMember>): AsyncGenerator<Uint8Array> {
  return together(pieces(members));
}

/** Returns the exact size of the archive of the members, in bytes. */
export function sizeOfZip(members: readonly Member[]): number {
  return sizeOfArchive(members.map(({ path, file }) => {
    const size = file?.size ?? null;
    return { nameLength: nameOf(path, size !== null).length, size };
  }));
}

async function* pieces(members: AsyncIterable<OpenedMember>): AsyncGenerator<Uint8Array> {
  const { crc32 } = await import("node:zlib");
  const table: Uint8Array[] = [];
  const blocks = new BlockWriter();
  let offset = 0;
  for await (const { path, modified, content } of members) {
    const size = content?.size ?? null;
    const entry = { name: nameOf(path, size !== null), modified: modified ?? 0, size };
    let crc = 0;
    const header = localHeader(entry);
    let length = header.length;
    yield header;
    if (content !== null) {
      yield blocks.begin(content.size);
      for await (const chunk of content.chunks) {
        crc = crc32(chunk, crc);
        yield blocks.put(chunk);
      }
      const descriptor = dataDescriptor(content.size, crc);
      length += sizeInBlocks(content.size) + descriptor.length;
      yield descriptor;
    }
    table.push(centralHeader({ ...entry, offset, crc }));
    offset += length;
  }
  let size = 0;
  for (const header of table) {
    size += header.length;
    yield header;
  }
  yield endOfArchive(table.length, offset, size);
}

/** Joins small pieces. Otherwise an archive of many small files would be sent in many small packets. */
async function* together(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(TOGETHER);
  let filled = 0;
  for await (const piece of pieces) {
    if (filled > 0 && filled + piece.length > TOGETHER) {
      yield buffer.subarray(0, filled);
      filled = 0;
    }
    if (piece.length > SMALL_PIECE) {
      if (filled > 0) yield buffer.subarray(0, filled);
      filled = 0;
      yield piece;
    } else {
      buffer.set(piece, filled);
      filled += piece.length;
    }
  }
  if (filled > 0) yield buffer.subarray(0, filled);
}

function nameOf(path: string, isFile: boolean): Uint8Array {
  return encoder.encode(isFile ? path : path + "/");
}
