/** Sends the bytes of a download to one client, and lifeline bytes while the client has to wait. */

import type { Download } from "./download.ts";
import type { Lifeline } from "./lifeline.ts";
import type { RelayTimes } from "./times.ts";
import { turns } from "./turns.ts";

/** Maximum size of a piece in bytes. */
const PIECE = 256 * 1024;

/** Milliseconds between two checks of the clock while no bytes arrive. */
const POLL = 200;

/**
 * Iterates over the bytes `start` (included) to `end` (excluded) of a download. A piece is valid until the
 * next one is requested.
 *
 * This is not an async generator, because the `return()` of a generator waits for a pending `next()`: it
 * would not be noticed that a waiting client has closed its connection.
 */
export class Reader implements AsyncIterableIterator<Uint8Array> {
  /** Position of the next byte. */
  position: number;
  readonly download: Download;
  readonly #end: number | null;
  readonly #lifeline: Lifeline;
  readonly #times: RelayTimes;
  readonly #left: () => void;
  readonly #stopListening: () => void;
  #buffer: Uint8Array | null = null;
  #hasBegun = false;
  #lastGiven: number;
  #isClosed = false;
  #wake: (() => void) | null = null;

  /**
   * @param end null for the end of the download, which may not be known yet.
   * @param askedAt time of the client's request (ms): the client has been waiting since then.
   * @param left called once, when the reader does not need the download any more.
   */
  constructor(
    download: Download,
    start: number,
    end: number | null,
    lifeline: Lifeline,
    times: RelayTimes,
    askedAt: number,
    left: () => void,
  ) {
    this.position = start;
    this.download = download;
    this.#end = end;
    this.#lifeline = lifeline;
    this.#times = times;
    this.#lastGiven = askedAt;
    this.#left = left;
    this.#stopListening = download.listen(() => {
      // While a file is not verified, each of its pieces is a change that gives this reader nothing.
      if (download.state !== "fetching" || download.readable > this.position) this.#wake?.();
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws the failure of the download, when it cannot continue. */
  async next(): Promise<IteratorResult<Uint8Array>> {
    this.download.release(this.position);
    while (!this.#isClosed) {
      const end = this.#end ?? this.download.end;
      if (end !== null && this.position >= end) break;
      if (this.download.readable > this.position) {
        await turns.take(Math.min(PIECE, this.download.readable - this.position));
        if (this.#isClosed) break;
        // The download may have started again while this reader waited for its turn.
        if (this.download.readable > this.position) return this.#give(this.#read(end));
        continue;
      }
      if (this.download.state !== "fetching") {
        this.#close();
        throw this.download.failure ?? new Error("The download ended too early.");
      }
      const wait = this.#nextLifeline() - performance.now();
      if (wait <= this.#times.lifelineEvery / 2) this.#lifeline.prepare(this.position);
      const bytes = wait <= 0 ? this.#lifeline.take(this.position, end) : null;
      if (bytes !== null) return this.#give(bytes);
      await this.#changed(POLL);
    }
    this.#close();
    return { done: true, value: undefined };
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.#close();
    this.#wake?.();
    return Promise.resolve({ done: true, value: undefined });
  }

  #nextLifeline(): number {
    const { lifelineAfter, lifelineEvery } = this.#times;
    return this.#lastGiven + (this.#hasBegun ? lifelineEvery : lifelineAfter);
  }

  #read(end: number | null): Uint8Array {
    const { readable } = this.download;
    const length = Math.min(PIECE, Math.min(readable, end ?? readable) - this.position);
    if (this.#buffer === null || this.#buffer.length < length) {
      this.#buffer = new Uint8Array(length);
    }
    const piece = this.#buffer.subarray(0, length);
    return piece.subarray(0, this.download.read(this.position, piece));
  }

  #give(bytes: Uint8Array): IteratorResult<Uint8Array> {
    this.position += bytes.length;
    this.#hasBegun = true;
    this.#lastGiven = performance.now();
    return { done: false, value: bytes };
  }

  /** Waits until the download changes, but at most `limit` milliseconds. */
  async #changed(limit: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, limit);
    });
    clearTimeout(timer);
    this.#wake = null;
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#buffer = null;
    this.#stopListening();
    this.#lifeline.close();
    this.#left();
  }
}
