/** The body of a reply to a request for several ranges (RFC 9110 §14.6, §15.3.7.2). */

import { type ByteRange, contentRange } from "./ranges.ts";

/** A piece of the body: the text between two parts, or the range of a part. */
type Piece = Uint8Array | ByteRange;

/** Size of one read from the file, in bytes. */
const CHUNK_SIZE = 512 * 1024;

/** The layout of a `multipart/byteranges` body, whose length is known before the file is read. */
interface MultipartRanges {
  readonly contentType: string;
  readonly contentLength: number;
  /** The pieces in order. */
  readonly pieces: readonly Piece[];
}

/**
 * Computes the layout of a body.
 *
 * @param type media type of the file.
 * @param size of the file, in bytes.
 * @param boundary a random string, so that it does not occur in the file.
 */
export function layOutRanges(
  ranges: readonly ByteRange[],
  type: string,
  size: number,
  boundary: string,
): MultipartRanges {
  const encoder = new TextEncoder();
  const pieces: Piece[] = [];
  let contentLength = 0;
  for (const [index, range] of ranges.entries()) {
    const head = encoder.encode(
      `${index === 0 ? "" : "\r\n"}--${boundary}\r\nContent-Type: ${type}\r\n` +
        `Content-Range: ${contentRange(range, size)}\r\n\r\n`,
    );
    pieces.push(head, range);
    contentLength += head.length + range.end - range.start + 1;
  }
  const tail = encoder.encode(`\r\n--${boundary}--\r\n`);
  pieces.push(tail);
  contentLength += tail.length;
  return { contentType: `multipart/byteranges; boundary=${boundary}`, contentLength, pieces };
}

/** The bytes of a body, made from a file that is in memory. */
export function assembleRanges(layout: MultipartRanges, file: Uint8Array): Uint8Array {
  const body = new Uint8Array(layout.contentLength);
  let offset = 0;
  for (const piece of layout.pieces) {
    const part = piece instanceof Uint8Array ? piece : file.subarray(piece.start, piece.end + 1);
    body.set(part, offset);
    offset += part.length;
  }
  return body;
}

/**
 * The bytes of a body, read from an open file. The file is closed at the end, on an error, and on
 * `return()` of the iterator. A generator alone would not do: when it is closed before its first
 * `next()`, its `finally` does not run.
 */
export class MultipartBody implements AsyncIterable<Uint8Array> {
  readonly #file: Deno.FsFile;
  readonly #pieces: readonly Piece[];
  #closed = false;

  constructor(file: Deno.FsFile, pieces: readonly Piece[]) {
    this.#file = file;
    this.#pieces = pieces;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const chunks = this.#chunks();
    return {
      next: (): Promise<IteratorResult<Uint8Array>> => chunks.next(),
      return: async (): Promise<IteratorResult<Uint8Array>> => {
        await chunks.return(undefined);
        this.#close();
        return { done: true, value: undefined };
      },
    };
  }

  async *#chunks(): AsyncGenerator<Uint8Array, undefined, undefined> {
    try {
      for (const piece of this.#pieces) {
        if (piece instanceof Uint8Array) yield piece;
        else yield* this.#read(piece);
      }
      return undefined;
    } finally {
      this.#close();
    }
  }

  async *#read({ start, end }: ByteRange): AsyncGenerator<Uint8Array, void, undefined> {
    await this.#file.seek(start, Deno.SeekMode.Start);
    let left = end - start + 1;
    while (left > 0) {
      const chunk = new Uint8Array(Math.min(left, CHUNK_SIZE));
      const count = await this.#file.read(chunk);
      // The `Content-Length` was sent already, so the transfer must be broken off.
      if (count === null) throw new Error("the file was truncated while it was sent");
      left -= count;
      yield chunk.subarray(0, count);
    }
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.close();
  }
}
