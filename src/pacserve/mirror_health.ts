/** Which mirrors failed lately, and for how long they are therefore asked last. */

import { LRUCache } from "lru-cache";
import { Backoff, type BackoffRange } from "../backoff.ts";

/** For how long a mirror that fails is asked last, in milliseconds. */
const BACKOFF: BackoffRange = { first: 10_000, max: 600_000 };
/** More origins than any pacman.conf names; a list that changes must not let this grow. */
const MAX_ORIGINS = 500;

interface Trouble {
  readonly backoff: Backoff;
  /** When the backoff is over. */
  until: number;
  /** In a row. */
  failures: number;
}

/** How a mirror does, for people. */
export interface MirrorState {
  /** `answers`; `fails`: it failed last, and is asked last as long as `pause` is not over; `not asked` lately. */
  readonly state: "answers" | "fails" | "not asked";
  /** In a row. */
  readonly failures: number;
  /** Seconds for which it is still asked last. */
  readonly pause: number;
}

/** Remembers mirrors by origin (`https://mirror.example.org`). */
export class MirrorHealth {
  readonly #now: () => number;
  readonly #troubles = new LRUCache<string, Trouble>({ max: MAX_ORIGINS });
  readonly #answered = new LRUCache<string, true>({ max: MAX_ORIGINS });

  /** @param now the time in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** True while the mirror is set aside. */
  isSetAside(origin: string): boolean {
    const trouble = this.#troubles.get(origin);
    return trouble !== undefined && trouble.until > this.#now();
  }

  /** How the mirror does. */
  stateOf(origin: string): MirrorState {
    const trouble = this.#troubles.get(origin);
    if (trouble === undefined) {
      const state = this.#answered.has(origin) ? "answers" : "not asked";
      return { state, failures: 0, pause: 0 };
    }
    const pause = Math.max(0, Math.ceil((trouble.until - this.#now()) / 1000));
    return { state: "fails", failures: trouble.failures, pause };
  }

  /** The mirror answered. */
  succeeded(origin: string): void {
    this.#troubles.delete(origin);
    this.#answered.set(origin, true);
  }

  /**
   * The mirror failed. Failures of requests that were under way together count as one.
   *
   * @returns for how long (ms) it is set aside from now on; null when it already was.
   */
  failed(origin: string): number | null {
    if (this.isSetAside(origin)) return null;
    const trouble = this.#troubles.get(origin) ?? {
      backoff: new Backoff(BACKOFF),
      until: 0,
      failures: 0,
    };
    trouble.failures++;
    const pause = trouble.backoff.next();
    trouble.until = this.#now() + pause;
    this.#troubles.set(origin, trouble);
    return pause;
  }
}
