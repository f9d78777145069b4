/** How often, and how much at a time, neighbours may make this server do something. */

import { LRUCache } from "lru-cache";
import { addressGroup } from "./address.ts";

/** So many at once, and then so many more in a second. */
interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Tokens that are taken one by one and come back with time; full at the beginning. */
export class TokenBucket {
  readonly #rate: Rate;
  readonly #now: () => number;
  #tokens: number;
  #refilledAt: number;

  /** @param now milliseconds on a clock that only goes forward. */
  constructor(rate: Rate, now: () => number) {
    this.#rate = rate;
    this.#now = now;
    this.#tokens = rate.burst;
    this.#refilledAt = now();
  }

  /** True when a token is there. */
  hasToken(): boolean {
    const now = this.#now();
    const earned = (now - this.#refilledAt) / 1000 * this.#rate.perSecond;
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + earned);
    this.#refilledAt = now;
    return this.#tokens >= 1;
  }

  /** Takes a token; false when there is none. */
  take(): boolean {
    if (!this.hasToken()) return false;
    this.#tokens--;
    return true;
  }
}

/**
 * Addresses that have a bucket of their own. A new one starts with a full bucket, so an attacker with
 * more addresses than this is stopped only by the bucket that all share.
 */
const MAX_ADDRESSES = 1024;

/** A bucket for each address (of IPv6, for each /64 network), and one for all of them together. */
export class NeighbourLimit {
  readonly #each: Rate;
  readonly #now: () => number;
  readonly #buckets = new LRUCache<string, TokenBucket>({ max: MAX_ADDRESSES });
  readonly #all: TokenBucket;

  /** @param now milliseconds on a clock that only goes forward. */
  constructor(each: Rate, all: Rate, now: () => number = () => performance.now()) {
    this.#each = each;
    this.#now = now;
    this.#all = new TokenBucket(all, now);
  }

  /** Takes a token for a neighbour with this IP address; false when the neighbour is over the limit. */
  take(address: string): boolean {
    const group = addressGroup(address);
    const bucket = this.#buckets.get(group) ?? new TokenBucket(this.#each, this.#now);
    this.#buckets.set(group, bucket);
    return bucket.hasToken() && this.#all.take() && bucket.take();
  }
}

/** Runs so many pieces of work at a time; the others wait in order. */
export class ConcurrencyLimit {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(atATime: number) {
    this.#free = atATime;
  }

  /** Runs a piece of work when it is its turn; gives or throws what that does. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((begin) => this.#waiting.push(begin));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
