/** Exponential backoff: pauses between attempts that fail, each twice as long as the one before. */

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
