/** Opens the files of an archive one after the other. */

import { Failure } from "../../failure.ts";
import type { ArchivedTree, Member } from "./walk.ts";

/** Bytes per read: into one buffer that is reused, and into a new buffer each time. */
const GREAT_CHUNK = 512 * 1024;
const SMALL_CHUNK = 64 * 1024;

/** A directory, or a file that is open. */
export interface OpenedMember {
  /** Its path in the archive, without slashes at its ends. */
  readonly path: string;
  /** Milliseconds since 1970; null if unknown. */
  readonly modified: number | null;
  /** Null for a directory. */
  readonly content: MemberContent | null;
}

/** The bytes of a file. */
interface MemberContent {
  /** In bytes. */
  readonly size: number;
  /**
   * Exactly `size` bytes; with {@link OpenOptions.reuse}, each chunk overwrites the one before. Reading
   * throws a {@link Failure} when the file has become shorter: the transfer has to break, because
   * otherwise a damaged archive would look complete.
   */
  readonly chunks: AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** Options of {@link openMembers}. */
interface OpenOptions {
  /**
   * True when the length of the archive has been sent. Then a missing file breaks the transfer, and a file
   * that grew is cut to its planned size. Otherwise missing files are left out, and the others are sent
   * with their present size.
   */
  readonly isPlanned: boolean;
  /** Read everything into one buffer. The reader must finish a chunk before it requests the next. */
  readonly reuse: boolean;
}

/**
 * Opens each member when the reader requests it. A file is closed before the next member is opened, and
 * when the reader stops.
 */
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
      if (isPlanned) throw new Failure(`${path} was removed while it was archived`);
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
