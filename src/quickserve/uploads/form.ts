/** Forms with files (multipart/form-data, RFC 7578), read as they come. */

import { Buffer } from "node:buffer";
import type { Readable } from "node:stream";
import type { Busboy as BusboyClass } from "@fastify/busboy";
import { UploadRefused } from "./outcome.ts";

/** Bounds of everything in a form but the content of its files. */
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
 * How much of a form may be read that is not kept: fields, and files that were refused. Reading these
 * to their end lets the files after them be stored, and the answer be read.
 */
const MAX_WASTE = 64 * 1024 * 1024;

type Parser = InstanceType<typeof BusboyClass>;

/** How many chunks are kept to be released; those beyond are left to the garbage collector. */
const MAX_CHUNKS = 16;

/** Takes one file of a form; the name is the client's, empty where it gave none. */
type FileTaker = (name: string, chunks: AsyncIterable<Uint8Array>) => Promise<void>;

/**
 * Reads a form and hands on its files, one after the other. The body is read only as quickly as the
 * files are taken. What is not taken of a file is read all the same, to get at the next one.
 *
 * @param contentType the field with the boundary in it
 * @param used how many bytes `take` has read so far
 * @throws {UploadRefused} when the form is malformed, breaks off or goes beyond a limit; what the body
 * or `take` throw is passed on. In either case the file that is being taken breaks off with an error.
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
        throw new UploadRefused(413, "The form has too much in it that is not kept.");
      }
    }
  } catch (error) {
    form.fail(error);
  }
  await form.end();
}

async function createParser(contentType: string): Promise<Parser> {
  // Of a module in CommonJS, a bundle gives the default export alone.
  const { default: { Busboy } } = await import("@fastify/busboy");
  try {
    return new Busboy({
      headers: { "content-type": contentType },
      preservePath: true,
      limits: LIMITS,
    });
  } catch {
    throw new UploadRefused(400, "The form has no proper boundary.");
  }
}

/** Browsers and curl write a quotation mark in the name of a file as `%22`, and no other character so. */
function unescaped(name: string): string {
  return name.replaceAll("%22", '"');
}

/** A form while it is read. */
class Form {
  readonly #parser: Parser;
  readonly #finished: Promise<void>;
  /** Done when every file so far was taken. */
  #files: Promise<void> = Promise.resolve();
  #current: Readable | null = null;
  #wake: () => void = () => {};
  #problem: Error | null = null;
  /** The latest chunks of the body by their buffers: files come in slices of these. */
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
    parser.on("error", refuse(400, "The form is malformed, or it broke off."));
    parser.on("filesLimit", refuse(413, `The form has more than ${LIMITS.files} files.`));
    parser.on("fieldsLimit", refuse(413, `The form has more than ${LIMITS.fields} fields.`));
    parser.on("partsLimit", refuse(413, `The form has more than ${LIMITS.parts} parts.`));
    parser.on("file", (_field, stream, name: string | undefined) => {
      this.#current = stream;
      // `take` gets the error while it reads the file. At other times nothing listens, and an error that
      // nothing listens to would end the program.
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
      // The end of the form wakes the writer too. (A race with a promise that lives as long as the
      // form would keep something of every chunk.)
      this.#wake = resolve;
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
      this.#parser.write(bytes, () => resolve());
    });
    if (this.#problem !== null) throw this.#problem;
  }

  /** Breaks off; the first reason counts. */
  fail(error: unknown): void {
    this.#problem ??= error instanceof Error ? error : new Error(String(error));
    this.#current?.destroy(this.#problem);
  }

  /** Waits for the last file, and throws what went wrong. */
  async end(): Promise<void> {
    if (this.#problem === null) {
      this.#parser.end();
      await this.#finished;
    }
    await this.#files;
    if (this.#problem !== null) throw this.#problem;
  }

  /** The bytes of one file. It ends without an error only where the file ends. */
  async *#whole(stream: Readable): AsyncGenerator<Uint8Array> {
    try {
      let last: ArrayBufferLike | null = null;
      // A reader that stops early must not destroy the stream: the parser goes on only if the rest is
      // read.
      for await (const slice of stream.iterator({ destroyOnReturn: false })) {
        // Slices come in order: with the first of the next chunk, all is taken of the one before.
        if (last !== null && last !== slice.buffer) this.#release(last);
        last = slice.buffer;
        yield slice;
      }
    } catch (error) {
      throw error instanceof UploadRefused ? error : new UploadRefused(400, "It broke off.");
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
 * Gives back the memory of a chunk that is not used any more. Left to the garbage collector, the chunks
 * of one long upload add up to more than 64 MiB before it runs; with this function they take a few, and
 * it is quicker too.
 *
 * A chunk that shares its buffer with others is left alone.
 */
export function release(chunk: Uint8Array): void {
  const { buffer } = chunk;
  if (buffer instanceof ArrayBuffer && chunk.byteLength === buffer.byteLength) buffer.transfer(0);
}
