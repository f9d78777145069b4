/** Unpacks a compressed stream of the kinds that repo-add makes and this runtime knows. */

import { Buffer } from "node:buffer";
import { pipeline, Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { Failure } from "../failure.ts";

/** Archives are recognised by how they begin; repo-add packs by the name that the archive is given. */
const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
/** What repo-add can make and this runtime cannot unpack. */
const OTHERS: Readonly<Record<string, readonly number[]>> = {
  "xz": [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  "bzip2": [0x42, 0x5a, 0x68],
  "lz4": [0x04, 0x22, 0x4d, 0x18],
  "lzip": [0x4c, 0x5a, 0x49, 0x50],
  "lrzip": [0x4c, 0x52, 0x5a, 0x49],
  "lzop": [0x89, 0x4c, 0x5a, 0x4f],
  "compress": [0x1f, 0x9d],
};

/** Bytes that come out at a time: with fewer, taking turns costs more than unpacking. */
const CHUNK_SIZE = 64 << 10;

/** Bytes that are needed to recognise each of them. */
const MAGIC_SIZE = 6;

/**
 * Unpacks gzip and zstd while it is read; what is packed in no known way comes out as it is.
 *
 * @param limit bytes that may come out at most.
 * @throws {Failure} when it is packed otherwise or more comes out.
 * @throws when it is broken.
 */
export async function* unpacked(
  packed: AsyncIterable<Uint8Array>,
  limit: number,
): AsyncGenerator<Uint8Array> {
  const { start, all } = await withStart(packed);
  let size = 0;
  for await (const chunk of unpacking(start, all)) {
    size += chunk.length;
    if (size > limit) throw new Failure(`it is more than ${limit / 2 ** 20} MiB unpacked`);
    yield chunk;
  }
}

function unpacking(
  start: Uint8Array,
  all: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  const other = Object.entries(OTHERS).find(([, magic]) => begins(start, magic));
  if (other !== undefined) {
    throw new Failure(`it is packed with ${other[0]}, not with gzip or zstd`);
  }
  const unpacker = begins(start, GZIP)
    ? createGunzip({ chunkSize: CHUNK_SIZE })
    : begins(start, ZSTD)
    ? createZstdDecompress({ chunkSize: CHUNK_SIZE })
    : null;
  if (unpacker === null) return all;
  // An error reaches the reader through `unpacker`; the callback only has to be there.
  return pipeline(Readable.from(all, { objectMode: false }), unpacker, () => {});
}

/** Reads until the first bytes are known; gives them, and the whole stream. */
async function withStart(
  packed: AsyncIterable<Uint8Array>,
): Promise<{ start: Uint8Array; all: AsyncIterable<Uint8Array> }> {
  const rest = packed[Symbol.asyncIterator]();
  let start = new Uint8Array();
  while (start.length < MAGIC_SIZE) {
    const { done, value } = await rest.next();
    if (done) break;
    start = Buffer.concat([start, value]);
  }
  return { start, all: joined(start, { [Symbol.asyncIterator]: () => rest }) };
}

async function* joined(
  first: Uint8Array,
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield first;
  yield* rest;
}

function begins(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}
