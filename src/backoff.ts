/** Exponential backoff: pauses between attempts that fail, each twice as long as the one before. */

import { LRUCache } from "lru-cache";

/** The first pause and the longest, in milliseconds. */
export interface BackoffRange {
  readonly first: number;
  readonly max: number;
}

/**
 * The pause after a failure, in milliseconds.
 *
 * @param failures in a row before this one.
 */
export function backoffPause(failures: number, { first, max }: BackoffRange): number {
  return Math.min(first * 2 ** failures, max);
}

/** Counts the failures in a row of one thing, and gives the pause after each. */
export class Backoff {
  readonly #range: BackoffRange;
  #failures = 0;

  constructor(range: BackoffRange) {
    this.#range = range;
  }

  /** The pause to be made now, in milliseconds; the next one is twice as long. */
  next(): number {
    return backoffPause(this.#failures++, this.#range);
  }

  /** The next pause is the first one again. */
  reset(): void {
    this.#failures = 0;
  }
}

interface KeptBackoff {
  readonly backoff: Backoff;
  /** When the pause is over. */
  until: number;
}

/** The pauses of many things, each known by its key. Bounded: the oldest are forgotten. */
export class Backoffs {
  readonly #range: BackoffRange;
  readonly #now: () => number;
  readonly #kept: LRUCache<string, KeptBackoff>;

  /**
   * @param max how many things are remembered.
   * @param now the time in milliseconds.
   */
  constructor(range: BackoffRange, max: number, now: () => number) {
    this.#range = range;
    this.#now = now;
    this.#kept = new LRUCache({ max });
  }

  /** True while the pause of this one lasts. */
  isPaused(key: string): boolean {
    const kept = this.#kept.get(key);
    return kept !== undefined && kept.until > this.#now();
  }

  /**
   * It failed. Failures during a pause count as one: they were under way together.
   *
   * @returns the pause in milliseconds that begins; null when one lasts already.
   */
  failed(key: string): number | null {
    if (this.isPaused(key)) return null;
    const kept = this.#kept.get(key) ?? { backoff: new Backoff(this.#range), until: 0 };
    const pause = kept.backoff.next();
    kept.until = this.#now() + pause;
    this.#kept.set(key, kept);
    return pause;
  }

  /** It works: its next pause is the first one again. */
  succeeded(key: string): void {
    this.#kept.delete(key);
  }
}
