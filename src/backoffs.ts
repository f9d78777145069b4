/**
 * Exponential backoff of many things, each known by its key. Not in `backoff.ts`, because the main thread, which
 * needs only that file, would load a library with it.
 */

import { backoffPause, type BackoffRange } from "./backoff.ts";
import { BoundedMap } from "./bounded_map.ts";

interface Failures {
  /** In a row. */
  readonly count: number;
  /** When the pause after the last of them is over. */
  readonly until: number;
}

/** The pauses of many things, each known by its key. Bounded: the oldest are forgotten. */
export class Backoffs {
  readonly #range: BackoffRange;
  readonly #now: () => number;
  readonly #kept: BoundedMap<string, Failures>;

  /**
   * @param max how many things are remembered.
   * @param now the time in milliseconds.
   */
  constructor(range: BackoffRange, max: number, now: () => number) {
    this.#range = range;
    this.#now = now;
    this.#kept = new BoundedMap(max);
  }

  /** True while the pause of this one lasts. */
  isPaused(key: string): boolean {
    const kept = this.#kept.get(key);
    return kept !== undefined && kept.until > this.#now();
  }

  /** Its failures in a row, and the rest of its pause in milliseconds; null when it did not fail last. */
  trouble(key: string): { readonly failures: number; readonly pause: number } | null {
    const kept = this.#kept.get(key);
    if (kept === undefined) return null;
    return { failures: kept.count, pause: Math.max(0, kept.until - this.#now()) };
  }

  /**
   * It failed. Failures during a pause count as one: they were under way together.
   *
   * @returns the pause in milliseconds that begins; null when one lasts already.
   */
  failed(key: string): number | null {
    if (this.isPaused(key)) return null;
    const count = this.#kept.get(key)?.count ?? 0;
    const pause = backoffPause(count, this.#range);
    this.#kept.set(key, { count: count + 1, until: this.#now() + pause });
    return pause;
  }

  /** It works: its next pause is the first one again. */
  succeeded(key: string): void {
    this.#kept.delete(key);
  }
}
