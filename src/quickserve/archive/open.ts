/** Opening the files of an archive one after the other. */

import { Failure } from "../../failure.ts";
import type { ArchivedTree, Member } from "./walk.ts";

/** Bytes read at a time into one buffer, and into a new one each time. */
const GREAT_CHUNK = 512 * 1024;
const SMALL_CHUNK = 64 * 1024;

/** A directory, or a file that is open. */
export interface OpenedMember {
  /** Its path in the archive, without slashes at its ends. */
  readonly path: string;
  /** Milliseconds since 1970; null where it is not known. */
  readonly modified: number | null;
  /** Null for a directory. */
  readonly content: MemberContent | null;
}

/** The bytes of a file. */
interface MemberContent {
  /** In bytes. */
  readonly size: number;
  /**
   * Exactly `size` bytes; a chunk is overwritten by the next one if {@link OpenOptions.reuse} says so.
   * Reading throws a {@link Failure} when the file has become shorter: the
   * transfer has to break, since an archive that looks complete would be a lie.
   */
  readonly chunks: AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** How members are opened. */
interface OpenOptions {
  /**
   * The length of the archive has been told: a file that is gone breaks the transfer and one that grew
   * is cut off where it was. Otherwise what is gone is left out, and what is there is taken as it is.
   */
  readonly isPlanned: boolean;
  /** Read everything into one buffer: for a reader that is done with a chunk when it asks for more. */
  readonly reuse: boolean;
}

/** Opens members as they are asked for; each file is closed before the next member, and at the end. */
export async function* openMembers(
  tree: ArchivedTree,
  members: AsyncIterable<Member> | Iterable<Member>,
  { isPlanned, reuse }: OpenOptions,
): AsyncGenerator<OpenedMember> {
  const buffer = reuse ? new Uint8Array(GREAT_CHUNK) : null;
  for await (const { path, modified, file } of members) {
    if (file === null) {
      yield { path, modified, content: null };
      continue;
    }
    const opened = tree.open(file);
    if (opened === null) {
      if (isPlanned) throw new Failure(`${path} went away while it was archived`);
      continue;
    }
    try {
      const size = isPlanned ? file.size : opened.info.size;
      yield { path, modified, content: { size, chunks: read(opened.file, size, path, buffer) } };
    } finally {
      opened.file.close();
    }
  }
}

async function* read(
  file: Deno.FsFile,
  size: number,
  path: string,
  buffer: Uint8Array<ArrayBuffer> | null,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let left = size;
  while (left > 0) {
    const space = buffer ?? new Uint8Array(Math.min(SMALL_CHUNK, left));
    const count = await file.read(left < space.length ? space.subarray(0, left) : space);
    if (count === null) throw new Failure(`${path} became shorter while it was archived`);
    left -= count;
    yield count === space.length ? space : space.subarray(0, count);
  }
}
