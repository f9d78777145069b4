/** Remembers what this host's pacman was sent to a peer for. */

import { LRUCache } from "lru-cache";

/** For so long a second request means that the first copy was bad or broke off (ms). */
const REMEMBERED = 600_000;
const MAXIMUM_REMEMBERED = 5_000;

/** Files, and the milliseconds for which each is still remembered. Plain data. */
export type RepeatsState = readonly (readonly [string, number])[];

/** Files by name, for ten minutes each. */
export class Repeats {
  readonly #files: LRUCache<string, true>;
  readonly #changed: () => void;

  /**
   * @param now the time in milliseconds.
   * @param state what another one remembered.
   * @param changed called when there is more to remember.
   */
  constructor(now: () => number, state: RepeatsState = [], changed: () => void = () => {}) {
    this.#changed = changed;
    this.#files = new LRUCache({
      max: MAXIMUM_REMEMBERED,
      ttl: REMEMBERED,
      ttlResolution: 0,
      perf: { now },
    });
    for (const [file, remaining] of state) this.#files.set(file, true, { ttl: remaining });
  }

  /** What one that takes over has to know. */
  export(): RepeatsState {
    const files = [...this.#files.keys()].reverse();
    return files.map((file) => [file, this.#files.getRemainingTTL(file)]);
  }

  /** pacman is sent to a peer for this file. */
  sentToPeer(file: string): void {
    this.#files.set(file, true);
    this.#changed();
  }

  /** True when pacman was sent to a peer for this file within the last ten minutes. */
  wasSentToPeer(file: string): boolean {
    return this.#files.has(file);
  }
}
