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
}

/** Remembers mirrors by origin (`https://mirror.example.org`). */
export class MirrorHealth {
  readonly #now: () => number;
  readonly #troubles = new LRUCache<string, Trouble>({ max: MAX_ORIGINS });

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
    if (this.isSetAside(origin)) return null;
    const trouble = this.#troubles.get(origin) ?? { backoff: new Backoff(BACKOFF), until: 0 };
    const pause = trouble.backoff.next();
    trouble.until = this.#now() + pause;
    this.#troubles.set(origin, trouble);
    return pause;
  }
}
