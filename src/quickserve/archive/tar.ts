/** Tar archives: ustar with pax headers (POSIX.1-2017, pax). */

import type { TarHeader } from "modern-tar";
import type { OpenedMember } from "./open.ts";
import type { Member } from "./walk.ts";

const BLOCK_SIZE = 512;

/** The two empty blocks at the end. */
const END_SIZE = 2 * BLOCK_SIZE;

/** The largest number that fits into the octal digits of a header field. */
const MAX_OCTAL_SIZE = 0o77777777777;

const encoder = new TextEncoder();

/**
 * Returns the archive of the members, built while it is read. The library writes only the headers. The
 * content of files bypasses the library, because its queue would copy and hold 8 MiB of content.
 */
export async function* tarStream(members: AsyncIterable<OpenedMember>): AsyncGenerator<Uint8Array> {
  const { createTarPacker } = await import("modern-tar");
  for await (const { path, modified, content } of members) {
    const { readable, controller } = createTarPacker();
    // Never finish the entry: only the header before its content is needed.
    controller.add(tarHeader(path, modified, content?.size ?? null));
    const reader = readable.getReader();
    let left = sizeOfHeader(path, content?.size ?? null);
    while (left > 0) {
      const { value } = await reader.read();
      if (value === undefined) throw new TypeError("a header of the archive is too short");
      left -= value.length;
      yield value;
    }
    if (content === null) continue;
    yield* content.chunks;
    const padding = padded(content.size) - content.size;
    if (padding > 0) yield new Uint8Array(padding);
  }
  yield new Uint8Array(END_SIZE);
}

/** Returns the exact size of the archive of the members, in bytes. */
export function sizeOfTar(members: readonly Member[]): number {
  let size = END_SIZE;
  for (const { path, file } of members) {
    size += sizeOfHeader(path, file?.size ?? null) + padded(file?.size ?? 0);
  }
  return size;
}

/** Returns the size in bytes of a member's header. @param size of the content; null for a directory. */
function sizeOfHeader(path: string, size: number | null): number {
  const pax = paxOf(tarPath(path, size !== null), size ?? 0);
  return BLOCK_SIZE + (pax === null ? 0 : BLOCK_SIZE + padded(sizeOfPax(pax)));
}

function tarHeader(path: string, modified: number | null, size: number | null): TarHeader {
  const name = tarPath(path, size !== null);
  const pax = paxOf(name, size ?? 0);
  return {
    name,
    size: size ?? 0,
    type: size === null ? "directory" : "file",
    mode: size === null ? 0o755 : 0o644,
    mtime: new Date(Math.min(Math.max(modified ?? 0, 0), MAX_OCTAL_SIZE * 1000)),
    ...(pax === null ? {} : { pax }),
  };
}

function tarPath(path: string, isFile: boolean): string {
  return isFile ? path : path + "/";
}

/**
 * Returns the fields of the extended header, which long or non-ASCII names and large sizes need; null if
 * none is needed. We decide this instead of the library, because the archive's size is sent in advance.
 */
function paxOf(name: string, size: number): Record<string, string> | null {
  const pax: Record<string, string> = {};
  if (name.length > 100 || /[^\0-\x7f]/.test(name)) pax["path"] = name;
  if (size > MAX_OCTAL_SIZE) pax["size"] = String(size);
  return Object.keys(pax).length === 0 ? null : pax;
}

/** Returns the size of the records `<length> <key>=<value>\n`; a record's length includes its own digits. */
function sizeOfPax(pax: Readonly<Record<string, string>>): number {
  let size = 0;
  for (const [key, value] of Object.entries(pax)) {
    const rest = encoder.encode(` ${key}=${value}\n`).length;
    let length = rest + String(rest).length;
    length = rest + String(length).length;
    size += length;
  }
  return size;
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK_SIZE) * BLOCK_SIZE;
}
