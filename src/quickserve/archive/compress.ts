/** Compressing a stream while it is made. */

import { pipeline, Readable } from "node:stream";
import type { Transform } from "node:stream";
import { createGzip, createZstdCompress } from "node:zlib";

/** A way to compress. */
export type Compression = "gz" | "zst";

/** Compresses a stream. An error of the stream is one of the result. */
export async function* compress(
  chunks: AsyncIterable<Uint8Array>,
  compression: Compression,
): AsyncGenerator<Uint8Array> {
  const compressor = compressors[compression]();
  // The error reaches the reader by the compressor, which the pipeline destroys with it.
  pipeline(Readable.from(chunks, { highWaterMark: 1 }), compressor, () => {});
  yield* compressor;
}

const compressors: Readonly<Record<Compression, () => Transform>> = {
  // Quick rather than small: a LAN is faster than better compression.
  gz: () => createGzip({ level: 1 }),
  zst: () => createZstdCompress(),
};
