/** Exponential backoff: pauses between attempts that fail, each twice as long as the one before. */

/** The first pause and the longest, in milliseconds. */
export interface BackoffRange {
  readonly first: number;
  readonly max: number;
}

/**
 * The pause after a failure, in milliseconds.
 *
 * @param failures number of consecutive failures before this one.
 */
export function backoffPause(failures: number, { first, max }: BackoffRange): number {
  return Math.min(first * 2 ** failures, max);
}

/** Counts consecutive failures, and gives the pause after each of them. */
export class Backoff {
  readonly #range: BackoffRange;
  #failures = 0;

  constructor(range: BackoffRange) {
    this.#range = range;
  }

  /** Counts a failure; returns the pause after it, in milliseconds. The next pause is twice as long. */
  next(): number {
    return backoffPause(this.#failures++, this.#range);
  }

  /** Forgets the failures: the next pause is the first one again. */
  reset(): void {
    this.#failures = 0;
  }
}
