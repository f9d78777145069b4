/** A map of limited size. */

import { LRUCache } from "lru-cache";

/**
 * A map that forgets the entries that were least recently used. It takes no memory before it has entries, unlike an
 * `LRUCache` with `max`.
 */
export class BoundedMap<
  Key extends NonNullable<unknown>,
  Value extends NonNullable<unknown>,
> extends LRUCache<Key, Value> {
  /**
   * @param max the greatest number of entries.
   * @param lifetime milliseconds after which an entry is forgotten; 0 for no limit.
   * @param now the time in milliseconds.
   */
  constructor(max: number, lifetime = 0, now: () => number = () => performance.now()) {
    super({
      maxSize: max,
      sizeCalculation: () => 1,
      ttl: lifetime,
      // With 0, the clock is read each time, and no timer starts.
      ttlResolution: 0,
      perf: { now },
    });
  }
}
