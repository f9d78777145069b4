/** The body of a relayed reply. */

import type { OwnReaders } from "./own_readers.ts";
import type { Reader } from "./reader.ts";
import { StoreFull } from "./store.ts";

/**
 * Iterates over the pieces of a reader. The first piece has been read already, because the head of the
 * reply is sent only when there are bytes. If the disk is full, another reader continues at the byte
 * that was reached.
 */
export class RelayedBody implements AsyncIterableIterator<Uint8Array> {
  #first: Uint8Array | null;
  #reader: Reader;
  readonly #replace: (position: number) => Promise<Reader | null>;
  readonly #own: OwnReaders;
  /** True while a piece is being sent: the next one has not been requested yet. */
  #isSending = false;
  #isClosed = false;

  /**
   * @param replace resolves with a reader that continues at the position; null if none can.
   * @param own counts this reader while a piece is being sent; readers of peers wait meanwhile.
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
