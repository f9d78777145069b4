/** Decompresses streams in those formats of repo-add that the runtime supports. */

import { Buffer } from "node:buffer";
import { pipeline, Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { Failure } from "../failure.ts";

/** The first bytes of each format. The file name would not do: it is always `<repository>.db`. */
const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
/** Formats that repo-add can write but the runtime cannot decompress. */
const OTHERS: Readonly<Record<string, readonly number[]>> = {
  "xz": [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  "bzip2": [0x42, 0x5a, 0x68],
  "lz4": [0x04, 0x22, 0x4d, 0x18],
  "lzip": [0x4c, 0x5a, 0x49, 0x50],
  "lrzip": [0x4c, 0x52, 0x5a, 0x49],
  "lzop": [0x89, 0x4c, 0x5a, 0x4f],
  "compress": [0x1f, 0x9d],
};

/** Size of the chunks that come out, in bytes. With smaller ones, the event loop takes most of the time. */
const CHUNK_SIZE = 64 << 10;

/** How many bytes are needed to recognise any format. */
const MAGIC_SIZE = 6;

/**
 * Decompresses a stream of gzip or zstd. A stream in no known format is passed through unchanged.
 *
 * @param limit the most bytes that may come out.
 * @throws {Failure} when it has another format of repo-add, or more bytes come out.
 * @throws when the compressed data are broken.
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
  // An error reaches the reader through `unpacker`, but `pipeline` requires a callback.
  return pipeline(Readable.from(all, { objectMode: false }), unpacker, () => {});
}

/** Reads the first bytes of a stream; returns them, and the whole stream. */
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
