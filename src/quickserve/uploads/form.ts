/** Reads forms with files (multipart/form-data, RFC 7578) while they arrive. */

import { Buffer } from "node:buffer";
import type { Readable } from "node:stream";
import type { Busboy as BusboyClass } from "@fastify/busboy";
import { UploadRefused } from "./outcome.ts";

/** Limits for everything in a form except the content of its files. */
const LIMITS = {
  fieldNameSize: 256,
  fieldSize: 64 * 1024,
  fields: 100,
  files: 100_000,
  parts: 100_100,
  headerPairs: 32,
  headerSize: 16 * 1024,
} as const;

/**
 * At most this many bytes of a form are read and dropped: fields, and refused files. They are read to
 * their end so that later files can be stored and the client can read the reply.
 */
const MAX_WASTE = 64 * 1024 * 1024;

type Parser = InstanceType<typeof BusboyClass>;

/** At most this many chunks are held for release; the garbage collector frees the others. */
const MAX_CHUNKS = 16;

/** Takes one file of a form. @param name as the client sent it; empty if it sent none. */
type FileTaker = (name: string, chunks: AsyncIterable<Uint8Array>) => Promise<void>;

/**
 * Reads a form and passes its files to `take`, one after the other. The body is read only as fast as
 * `take` reads the files. If `take` stops early, the rest of the file is read and dropped.
 *
 * @param contentType the field `Content-Type`, which contains the boundary
 * @param used returns the number of bytes that `take` has read so far
 * @throws {UploadRefused} when the form is malformed, breaks off or exceeds a limit. Errors of the body
 * and of `take` are passed on. In each case, the file that `take` is reading ends with an error.
 */
export async function readForm(
  contentType: string,
  body: AsyncIterable<Uint8Array>,
  take: FileTaker,
  used: () => number,
): Promise<void> {
  const form = new Form(await createParser(contentType), take);
  let received = 0;
  try {
    for await (const chunk of body) {
      received += chunk.length;
      await form.write(chunk);
      if (received - used() > MAX_WASTE) {
        throw new UploadRefused(
          413,
          `The form has more than ${MAX_WASTE >> 20} MiB of fields and refused files.`,
        );
      }
    }
  } catch (error) {
    form.fail(error);
  }
  await form.end();
}

async function createParser(contentType: string): Promise<Parser> {
  // In a bundle, a CommonJS module has only the default export.
  const { default: { Busboy } } = await import("@fastify/busboy");
  try {
    return new Busboy({
      headers: { "content-type": contentType },
      preservePath: true,
      limits: LIMITS,
    });
  } catch {
    throw new UploadRefused(400, "The boundary of the form is missing or invalid.");
  }
}

/** Restores quotation marks: browsers and curl write them as `%22` in a file's name, and escape nothing else. */
function unescaped(name: string): string {
  return name.replaceAll("%22", '"');
}

/** A form that is being read. */
class Form {
  readonly #parser: Parser;
  readonly #finished: Promise<void>;
  /** Resolves when `take` has finished with every file so far. */
  #files: Promise<void> = Promise.resolve();
  #current: Readable | null = null;
  #wake: () => void = () => {};
  #problem: Error | null = null;
  /** The latest chunks of the body, by their buffers. The parser passes files on as slices of them. */
  readonly #chunks = new Map<ArrayBufferLike, Uint8Array>();

  constructor(parser: Parser, take: FileTaker) {
    this.#parser = parser;
    this.#finished = new Promise((resolve) => {
      const end = (): void => {
        this.#wake();
        resolve();
      };
      parser.once("finish", end);
      parser.once("error", end);
    });
    const refuse = (status: number, reason: string) => (): void =>
      this.fail(new UploadRefused(status, reason));
    parser.on("error", refuse(400, "The form is malformed or incomplete."));
    parser.on("filesLimit", refuse(413, `The form has more than ${LIMITS.files} files.`));
    parser.on("fieldsLimit", refuse(413, `The form has more than ${LIMITS.fields} fields.`));
    parser.on("partsLimit", refuse(413, `The form has more than ${LIMITS.parts} parts.`));
    parser.on("file", (_field, stream, name: string | undefined) => {
      this.#current = stream;
      // While `take` reads the file, it gets the error. At other times there is no listener, and an error
      // without a listener would end the program.
      stream.on("error", () => {});
      this.#files = this.#files.then(() => take(unescaped(name ?? ""), this.#whole(stream)))
        .catch((error) => this.fail(error))
        .then(() => void stream.resume());
    });
  }

  /** Resolves when the parser has room for more. */
  async write(chunk: Uint8Array): Promise<void> {
    this.#keep(chunk);
    await new Promise<void>((resolve) => {
      // The end of the form wakes the writer too. (`Promise.race` with a promise that lives
      // as long as the form would leak memory for every chunk.)
      this.#wake = resolve;
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
      this.#parser.write(bytes, () => resolve());
    });
    if (this.#problem !== null) throw this.#problem;
  }

  /** Stops reading. The first error is the one that {@link end} throws. */
  fail(error: unknown): void {
    this.#problem ??= error instanceof Error ? error : new Error(String(error));
    this.#current?.destroy(this.#problem);
  }

  /** Waits for the last file, and throws the first error if there was one. */
  async end(): Promise<void> {
    if (this.#problem === null) {
      this.#parser.end();
      await this.#finished;
    }
    await this.#files;
    if (this.#problem !== null) throw this.#problem;
  }

  /** Yields the bytes of one file. It ends without an error only at the end of the file. */
  async *#whole(stream: Readable): AsyncGenerator<Uint8Array> {
    try {
      let last: ArrayBufferLike | null = null;
      // If `take` stops early, do not destroy the stream: the parser waits until the rest is read.
      for await (const slice of stream.iterator({ destroyOnReturn: false })) {
        // Slices arrive in order: the first slice of a chunk shows that the chunk before is finished.
        if (last !== null && last !== slice.buffer) this.#release(last);
        last = slice.buffer;
        yield slice;
      }
    } catch (error) {
      throw error instanceof UploadRefused
        ? error
        : new UploadRefused(400, "The upload broke off.");
    }
  }

  #keep(chunk: Uint8Array): void {
    this.#chunks.set(chunk.buffer, chunk);
    if (this.#chunks.size <= MAX_CHUNKS) return;
    const [oldest] = this.#chunks.keys();
    if (oldest !== undefined) this.#chunks.delete(oldest);
  }

  #release(buffer: ArrayBufferLike): void {
    const chunk = this.#chunks.get(buffer);
    if (chunk === undefined) return;
    this.#chunks.delete(buffer);
    release(chunk);
  }
}

/**
 * Frees the memory of a chunk that is not used any more. Without this function, the chunks of one long
 * upload add up to more than 64 MiB before the garbage collector runs; with it they take a few MiB, and
 * the upload is faster too.
 *
 * A chunk that shares its buffer with others is not freed.
 */
export function release(chunk: Uint8Array): void {
  const { buffer } = chunk;
  if (buffer instanceof ArrayBuffer && chunk.byteLength === buffer.byteLength) buffer.transfer(0);
}
