/** Which mirrors failed lately, and for how long they are therefore asked last. */

/** The first pause after a failure, in milliseconds. */
const FIRST_PAUSE = 10_000;
/** The longest pause, in milliseconds. */
const LONGEST_PAUSE = 600_000;
/** More origins than any pacman.conf names; a list that changes must not let this grow. */
const MAXIMUM_ORIGINS = 500;

interface Trouble {
  readonly until: number;
  readonly pause: number;
}

/** Remembers mirrors by origin (`https://mirror.example.org`). */
export class MirrorHealth {
  readonly #now: () => number;
  readonly #troubles = new Map<string, Trouble>();

  /** @param now the time in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** True while the mirror is set aside. */
  isSetAside(origin: string): boolean {
    const trouble = this.#troubles.get(origin);
    return trouble !== undefined && trouble.until > this.#now();
  }

  /** The mirror answered. */
  succeeded(origin: string): void {
    this.#troubles.delete(origin);
  }

  /**
   * The mirror failed. Failures of requests that were under way together count as one.
   *
   * @returns for how long (ms) it is set aside from now on; null when it already was.
   */
  failed(origin: string): number | null {
    const now = this.#now();
    const before = this.#troubles.get(origin);
    if (before !== undefined && before.until > now) return null;
    const pause = before === undefined ? FIRST_PAUSE : Math.min(before.pause * 2, LONGEST_PAUSE);
    this.#troubles.delete(origin);
    this.#troubles.set(origin, { until: now + pause, pause });
    if (this.#troubles.size > MAXIMUM_ORIGINS) {
      const [oldest] = this.#troubles.keys();
      if (oldest !== undefined) this.#troubles.delete(oldest);
    }
    return pause;
  }
}
