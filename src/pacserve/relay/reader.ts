/** Gives a download's bytes to one client, at its own pace, and keeps it alive while it waits. */

import type { Download } from "./download.ts";
import type { Lifeline } from "./lifeline.ts";
import type { RelayTimes } from "./times.ts";
import { turns } from "./turns.ts";

/** Bytes that are given at a time. */
const PIECE = 256 * 1024;

/** Milliseconds between two looks at the clock while nothing comes. */
const POLL = 200;

/**
 * An iterator over the bytes `start` (included) to `end` (excluded) of a download.
 *
 * Written by hand: an async generator's `return()` waits behind a `next()` under way, so a client that
 * left while it waited would not be noticed. A chunk is good until the next one is asked for.
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
   * @param end null: that of the download, which may not be known yet.
   * @param askedAt when the client asked for it, in milliseconds: it has waited since then.
   * @param left called once, when the reader needs the download no more.
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
    this.#stopListening = download.listen(() => this.#wake?.());
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws the download's failure, when it cannot go on. */
  async next(): Promise<IteratorResult<Uint8Array>> {
    this.download.release(this.position);
    while (!this.#isClosed) {
      const end = this.#end ?? this.download.end;
      if (end !== null && this.position >= end) break;
      if (this.download.readable > this.position) {
        await turns.take(Math.min(PIECE, this.download.readable - this.position));
        if (this.#isClosed) break;
        // It may have been started anew while others had their turns.
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

  /** Waits until something changes, but not longer than so many milliseconds. */
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
