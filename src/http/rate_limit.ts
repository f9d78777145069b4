/** Limits on how often, and how often at the same time, other hosts can make this server do work. */

import { BoundedMap } from "../bounded_map.ts";
import { addressGroup } from "./address.ts";

/** How many at once (`burst`), and how many more per second. */
interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** A token bucket: tokens are taken one by one and are refilled at a rate. It is full at first. */
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

  /** True when there is a token. */
  hasToken(): boolean {
    const now = this.#now();
    const earned = (now - this.#refilledAt) / 1000 * this.#rate.perSecond;
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + earned);
    this.#refilledAt = now;
    return this.#tokens >= 1;
  }

  /** Takes a token; returns false when there is none. */
  take(): boolean {
    if (!this.hasToken()) return false;
    this.#tokens--;
    return true;
  }
}

/**
 * For how many addresses a bucket is kept. A new address starts with a full bucket, so an attacker with
 * more addresses than this is limited only by the bucket for all addresses together.
 */
const MAX_ADDRESSES = 1024;

/** A token bucket for each IPv4 address or IPv6 /64 network, and one for all of them together. */
export class NeighbourLimit {
  readonly #each: Rate;
  readonly #now: () => number;
  readonly #buckets = new BoundedMap<string, TokenBucket>(MAX_ADDRESSES);
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

/** Runs at most `atATime` tasks at the same time; the others wait in order. */
export class ConcurrencyLimit {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(atATime: number) {
    this.#free = atATime;
  }

  /** Runs a task when it is its turn; returns or throws what the task does. */
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
