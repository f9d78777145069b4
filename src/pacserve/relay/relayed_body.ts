/** The body of a reply that is relayed. */

import type { OwnReaders } from "./own_readers.ts";
import type { Reader } from "./reader.ts";
import { StoreFull } from "./store.ts";

/**
 * The bytes of a reader, the first of which has been read already: the reply's head needed to know
 * that there are any. Where the disk is full it goes on with another reader at the byte that was
 * reached.
 */
export class RelayedBody implements AsyncIterableIterator<Uint8Array> {
  #first: Uint8Array | null;
  #reader: Reader;
  readonly #replace: (position: number) => Promise<Reader | null>;
  readonly #own: OwnReaders;
  /** The client has a piece, and did not ask for the next one yet. */
  #isSending = false;
  #isClosed = false;

  /**
   * @param replace gives a reader that goes on at a position; null when there is none.
   * @param own readers of peers wait for this one.
   */
  constructor(
    first: Uint8Array | null,
    reader: Reader,
    replace: (position: number) => Promise<Reader | null>,
    own: OwnReaders,
  ) {
    this.#first = first;
    this.#reader = reader;
    this.#replace = replace;
    this.#own = own;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    this.#sent();
    const first = this.#first;
    this.#first = null;
    if (first !== null) return this.#sending({ done: false, value: first });
    try {
      const result = await this.#reader.next();
      if (result.done === true) this.#close();
      return this.#sending(result);
    } catch (error) {
      const reader = error instanceof StoreFull && !this.#isClosed
        ? await this.#replace(this.#reader.position)
        : null;
      if (reader === null || this.#isClosed) {
        await reader?.return();
        await this.#reader.return();
        this.#close();
        throw error;
      }
      this.#reader = reader;
      return await this.next();
    }
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.#close();
    return this.#reader.return();
  }

  #sending(result: IteratorResult<Uint8Array>): IteratorResult<Uint8Array> {
    if (result.done !== true && !this.#isClosed) {
      this.#isSending = true;
      this.#own.begin();
    }
    return result;
  }

  #sent(): void {
    if (this.#isSending) this.#own.end();
    this.#isSending = false;
  }

  #close(): void {
    this.#sent();
    this.#isClosed = true;
  }
}
