/** Slows down whoever guesses passwords, each address by itself. */

import { addressGroup } from "../http/address_group.ts";

/** Failures that cost nothing: people mistype. */
export const FREE_FAILURES = 3;
/** The pause after the first failure that costs something, in milliseconds; it doubles each time. */
export const FIRST_PAUSE = 500;
/** The longest pause, and the longest that a request is made to wait, in milliseconds. */
export const LONGEST_PAUSE = 16_000;
/** After so long without a failure an address begins anew, in milliseconds. */
export const FORGIVEN_AFTER = 10 * 60 * 1000;

/** What is remembered of an address that failed; times in milliseconds since 1970. Plain data. */
interface Guesser {
  failures: number;
  lastFailure: number;
  /** When the next attempt may be looked at. */
  next: number;
}

/** What a replaced worker hands on: each address with its failures. Plain data. */
export type ThrottleState = readonly (readonly [string, Readonly<Guesser>])[];

/**
 * The failures of each address (of IPv6, of each /64 network, because a host has all of one).
 *
 * Attempts of an address that has failed too often are looked at one after the other with pauses
 * between them, so that asking in parallel gains nothing. The table is bounded; the address whose last
 * failure is longest ago makes room.
 */
export class Throttle {
  readonly #guessers = new Map<string, Guesser>();

  constructor(readonly capacity: number, state: ThrottleState = []) {
    for (const [group, guesser] of state) this.#guessers.set(group, { ...guesser });
  }

  /**
   * How long an attempt must wait before its password is looked at, in milliseconds: 0 for nearly
   * everybody; null when so many wait already that it is refused.
   */
  pause(address: string, now: number): number | null {
    const guesser = this.#guessers.get(addressGroup(address));
    if (guesser === undefined || guesser.failures <= FREE_FAILURES) return 0;
    if (now - guesser.lastFailure > FORGIVEN_AFTER) return 0;
    const start = Math.max(now, guesser.next);
    if (start - now > LONGEST_PAUSE) return null;
    guesser.next = start + pauseAfter(guesser.failures);
    return start - now;
  }

  /** Notes a wrong password. */
  fail(address: string, now: number): void {
    const key = addressGroup(address);
    const known = this.#guessers.get(key);
    const failures = known === undefined || now - known.lastFailure > FORGIVEN_AFTER
      ? 1
      : known.failures + 1;
    this.#guessers.delete(key);
    this.#guessers.set(key, {
      failures,
      lastFailure: now,
      next: Math.max(known?.next ?? 0, now + pauseAfter(failures)),
    });
    if (this.#guessers.size <= this.capacity) return;
    for (const oldest of this.#guessers.keys()) {
      this.#guessers.delete(oldest);
      break;
    }
  }

  /** What is remembered, as plain data. */
  exportState(): ThrottleState {
    return [...this.#guessers].map(([group, guesser]) => [group, { ...guesser }]);
  }

  /** How many addresses are remembered. */
  get size(): number {
    return this.#guessers.size;
  }
}

/** The pause after so many failures, in milliseconds. */
export function pauseAfter(failures: number): number {
  if (failures <= FREE_FAILURES) return 0;
  return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - FREE_FAILURES - 1));
}
