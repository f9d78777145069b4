/**
 * Nonces (RFC 7616 §3.3, §5.4). Each has in it the time at which it was made, and a code that only this
 * server can compute, so that issuing one needs no memory. Which counts of one were used is remembered,
 * so that a recorded request cannot be sent again (§3.4).
 */

import { Buffer } from "node:buffer";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** How long a nonce is good for, in milliseconds. */
const NONCE_LIFETIME = 10 * 60 * 1000;

const TIME_BYTES = 6;
const RANDOM_BYTES = 12;
const BODY_BYTES = TIME_BYTES + RANDOM_BYTES;
const CODE_BYTES = 18;
const TEXT_LENGTH = (BODY_BYTES + CODE_BYTES) / 3 * 4;

/** A new nonce: time of issue, chance, and a code over both. `now` is in milliseconds. */
export function makeNonce(secret: Uint8Array, now: number): string {
  const body = Buffer.alloc(BODY_BYTES);
  body.writeUIntBE(Math.max(0, Math.floor(now)), 0, TIME_BYTES);
  randomBytes(RANDOM_BYTES).copy(body, TIME_BYTES);
  return Buffer.concat([body, codeOf(secret, body)]).toString("base64url");
}

/** When a nonce was issued, in milliseconds; null when it was not made with this secret. */
export function readNonce(secret: Uint8Array, nonce: string): number | null {
  if (nonce.length !== TEXT_LENGTH || !/^[\w-]+$/.test(nonce)) return null;
  const bytes = Buffer.from(nonce, "base64url");
  const body = bytes.subarray(0, BODY_BYTES);
  if (!timingSafeEqual(bytes.subarray(BODY_BYTES), codeOf(secret, body))) return null;
  return body.readUIntBE(0, TIME_BYTES);
}

/** True while a nonce is good; one from the future is from before the clock was set back. */
export function isFresh(issued: number, now: number): boolean {
  const age = now - issued;
  return age >= -1000 && age < NONCE_LIFETIME;
}

function codeOf(secret: Uint8Array, body: Uint8Array): Uint8Array {
  return createHmac("sha256", secret).update(body).digest().subarray(0, CODE_BYTES);
}

/** How far below the highest count of its nonce a count may lie: requests overtake one another. */
const WINDOW = 128;

/** What is remembered of a nonce. Plain data. */
interface UsedNonce {
  readonly nonce: string;
  /** Time of issue in milliseconds. */
  readonly issued: number;
  /** The user who logged in with it first, and the address from which. */
  readonly user: string;
  readonly address: string;
  /** Highest count so far. */
  highest: number;
  /** One bit a count of the window: the bit of count `n` is `n % WINDOW`. */
  readonly seen: number[];
}

/** One request with a right response. */
interface NonceUse extends Pick<UsedNonce, "nonce" | "issued" | "user" | "address"> {
  readonly count: number;
}

/** What a replaced worker hands on. Plain data. */
export interface NonceCountsState {
  readonly nonces: readonly UsedNonce[];
  /** Nonces issued at this time or before are good only if they are in `nonces`. */
  readonly floor: number;
}

/**
 * The nonces that are in use. A nonce is remembered only after a user has logged in with it: strangers
 * cannot fill the table. When the table is full, the oldest nonce is dropped. From then on, all nonces of
 * its age and older that are not in the table are refused: their counts are unknown, and their clients
 * get a new one.
 */
export class NonceCounts {
  readonly #nonces = new Map<string, UsedNonce>();
  #floor = 0;

  constructor(readonly capacity: number, state?: NonceCountsState) {
    if (state === undefined) return;
    this.#floor = state.floor;
    for (const used of state.nonces) {
      this.#nonces.set(used.nonce, { ...used, seen: [...used.seen] });
    }
  }

  /** True when this user has logged in with this nonce from this address. */
  isKnown(nonce: string, user: string, address: string): boolean {
    const used = this.#nonces.get(nonce);
    return used?.user === user && used.address === address;
  }

  /**
   * Uses a count of a nonce after the response of a user at an address was found right.
   *
   * @returns false when this count may have been used before: the request must be refused.
   */
  use({ nonce, issued, count, user, address }: NonceUse, now: number): boolean {
    let used = this.#nonces.get(nonce);
    if (used === undefined) {
      // A clock that was set back must not make every nonce look too old until it has caught up.
      this.#floor = Math.min(this.#floor, now);
      if (issued <= this.#floor) return false;
      this.#makeRoom(now);
      const seen = new Array<number>(WINDOW / 32).fill(0);
      used = { nonce, issued, user, address, highest: 0, seen };
      this.#nonces.set(nonce, used);
    }
    return mark(used, count);
  }

  /** What is remembered, as plain data. */
  exportState(): NonceCountsState {
    const nonces = [...this.#nonces.values()].map((used) => ({ ...used, seen: [...used.seen] }));
    return { nonces, floor: this.#floor };
  }

  #makeRoom(now: number): void {
    // Nonces come into the table about in the order of their issue, so the old ones stand first.
    for (const [nonce, used] of this.#nonces) {
      const expired = used.issued <= now && !isFresh(used.issued, now);
      if (!expired && this.#nonces.size < this.capacity) break;
      this.#nonces.delete(nonce);
      if (!expired) this.#floor = Math.max(this.#floor, Math.min(used.issued, now));
    }
  }
}

/** Marks a count as used; false when it is used already, or too old to tell. */
function mark(used: UsedNonce, count: number): boolean {
  if (count > used.highest) {
    const from = Math.max(used.highest + 1, count - WINDOW + 1);
    for (let skipped = from; skipped <= count; skipped++) setBit(used.seen, skipped, false);
    used.highest = count;
  } else if (count <= used.highest - WINDOW || getBit(used.seen, count)) {
    return false;
  }
  setBit(used.seen, count, true);
  return true;
}

function getBit(bits: readonly number[], count: number): boolean {
  const bit = count % WINDOW;
  return ((bits[bit >>> 5] ?? 0) >>> (bit & 31) & 1) === 1;
}

function setBit(bits: number[], count: number, on: boolean): void {
  const bit = count % WINDOW;
  const word = bits[bit >>> 5] ?? 0;
  bits[bit >>> 5] = on ? word | 1 << (bit & 31) : word & ~(1 << (bit & 31));
}
