/** Sends the bytes of an in-flight file, or of a file in the spool, to a peer. */

import type { Download } from "./download.ts";
import type { OwnReaders } from "./own_readers.ts";
import type { Store } from "./store.ts";

/** Maximum size of a piece in bytes. */
const PIECE = 256 * 1024;

/** Number of bytes at the end of a file that no peer gets before the whole file is verified here. */
const HELD_BACK = 64 * 1024;

/** A reader that does not take an available piece for this time (ms) is closed. */
const STALLED = 6_000;

/** Milliseconds between two checks for a stalled reader. */
const POLL = 500;

/**
 * Iterates over the bytes `start` (included) to `end` (excluded) of a download. The first piece is empty,
 * so that the head of the reply is sent at once. The reader has no influence on the download: it neither
 * prolongs it nor slows it down.
 */
export class InFlightReader implements AsyncIterableIterator<Uint8Array> {
  readonly #download: Download;
  readonly #store: Store;
  readonly #end: number;
  readonly #own: OwnReaders;
  readonly #mayGive: () => boolean;
  readonly #ended: () => void;
  readonly #stopListening: () => void;
  readonly #watch: ReturnType<typeof setInterval>;
  #position: number;
  #buffer: Uint8Array | null = null;
  #hasBegun = false;
  /** Time of the last piece (ms); null while the reader waits for more. */
  #givenAt: number | null = null;
  #isClosed = false;
  #wake: (() => void) | null = null;

  /**
   * @param mayGive returns false as soon as no more bytes may be sent.
   * @param ended called once, when the reader is closed.
   */
  constructor(
    download: Download,
    store: Store,
    start: number,
    end: number,
    own: OwnReaders,
    mayGive: () => boolean,
    ended: () => void,
  ) {
    this.#download = download;
    this.#store = store;
    this.#position = start;
    this.#end = end;
    this.#own = own;
    this.#mayGive = mayGive;
    this.#ended = ended;
    this.#stopListening = download.listen(() => this.#wake?.());
    this.#watch = setInterval(() => this.#look(), POLL);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws when the download has ended too early, or this reader was too slow. */
  async next(): Promise<IteratorResult<Uint8Array>> {
    this.#givenAt = null;
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      return { done: false, value: new Uint8Array() };
    }
    await this.#own.letPass();
    while (!this.#isClosed && this.#position < this.#end) {
      if (!this.#isGood) break;
      const ready = Math.min(this.#ready, this.#end) - this.#position;
      if (ready > 0) return this.#give(ready);
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = null;
    }
    const isComplete = this.#position === this.#end;
    this.#close();
    if (!isComplete) throw new Error("The download ended too early.");
    return { done: true, value: undefined };
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.#close();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** False when the download failed or started again, or its bytes may not be sent any more. */
  get #isGood(): boolean {
    const { state, store } = this.#download;
    return (state === "fetching" || state === "complete") && store === this.#store &&
      this.#mayGive();
  }

  get #ready(): number {
    const { isVerified, received, end } = this.#download;
    return isVerified ? received : Math.min(received, (end ?? 0) - HELD_BACK);
  }

  #give(length: number): IteratorResult<Uint8Array> {
    this.#buffer ??= new Uint8Array(Math.min(PIECE, this.#end - this.#position));
    const piece = this.#buffer.subarray(0, Math.min(length, this.#buffer.length));
    const count = this.#store.read(this.#position, piece);
    this.#position += count;
    this.#givenAt = performance.now();
    return { done: false, value: piece.subarray(0, count) };
  }

  #look(): void {
    const isStalled = this.#givenAt !== null && performance.now() - this.#givenAt > STALLED;
    if (isStalled) this.#close();
    else if (!this.#isGood) this.#wake?.();
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#buffer = null;
    clearInterval(this.#watch);
    this.#stopListening();
    this.#wake?.();
    this.#ended();
  }
}
