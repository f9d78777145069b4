/** Slows down password guessing, for each IP address separately. */

import { LRUCache } from "lru-cache";
import { backoffPause, type BackoffRange } from "../backoff.ts";
import { addressGroup } from "../http/address.ts";
import type { HttpRequest } from "../http/exchange.ts";

/** Failures that cost nothing: people mistype. */
const FREE_FAILURES = 3;
/** After so long without a failure an address begins anew, in milliseconds. */
const FORGIVEN_AFTER = 10 * 60 * 1000;
/**
 * How many attempts of one address may wait for their turn, which takes four minutes at most. It is far
 * fewer than the connections that an address may have, so that others there can still connect.
 */
const MAX_WAITING = 64;

/** Between two attempts of an address that guesses, from the first failure that costs something. */
export const PAUSES: BackoffRange = { first: 500, max: 4_000 };

/**
 * What became of an attempt: its password may be looked at, its client has gone away, or too many of its
 * address wait already.
 */
export type Turn = "come" | "gone" | "refused";

/** What is remembered of an address that failed; times in milliseconds since 1970. Plain data. */
interface Guesser {
  failures: number;
  lastFailure: number;
  /** When the next attempt may be looked at. */
  next: number;
}

/** What a replaced worker hands on: each address with its failures. Plain data. */
export type ThrottleState = readonly (readonly [string, Readonly<Guesser>])[];

/** The parts of a request with a password that matter here. */
type Attempt = Pick<HttpRequest, "connection" | "signal">;

/** Attempts of one address that wait, in the order in which they came. */
interface Queue {
  readonly waiting: Set<(turn: Turn) => void>;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/**
 * The failures of each address (of IPv6, of each /64 network, because a host has all of one).
 *
 * Attempts of an address that has failed too often are looked at one after the other, in the order in
 * which they came and with pauses between them: asking in parallel gains nothing, and somebody else at
 * that address (behind the same NAT) is answered late rather than never. A client that goes away loses its place.
 * The table is bounded; the address whose last failure is longest ago makes room.
 */
export class Throttle {
  /** By the time of their last failure: reading one does not make it younger. */
  readonly #guessers: LRUCache<string, Guesser>;
  readonly #queues = new Map<string, Queue>();

  constructor(
    capacity: number,
    state: ThrottleState = [],
    readonly pauses: BackoffRange = PAUSES,
  ) {
    this.#guessers = new LRUCache({ max: capacity });
    for (const [group, guesser] of state) this.#guessers.set(group, { ...guesser });
  }

  /**
   * Asks whether the password of an attempt may be looked at: at once for nearly everybody, else when its
   * turn has come.
   *
   * @param now the time in milliseconds since 1970
   */
  turn(attempt: Attempt, now: number): Turn | Promise<Turn> {
    const group = addressGroup(attempt.connection.remoteAddress);
    const guesser = this.#guessers.peek(group);
    if (guesser === undefined || guesser.failures <= FREE_FAILURES) return "come";
    if (now - guesser.lastFailure > FORGIVEN_AFTER) return "come";
    const queue = this.#queues.get(group) ?? { waiting: new Set(), timer: undefined };
    if (queue.waiting.size === 0 && guesser.next <= now) {
      guesser.next = now + this.pauseAfter(guesser.failures);
      return "come";
    }
    const { signal } = attempt;
    if (signal.aborted) return "gone";
    if (queue.waiting.size >= MAX_WAITING) return "refused";
    return new Promise((resolve) => {
      const settle = (turn: Turn): void => {
        signal.removeEventListener("abort", leave);
        queue.waiting.delete(settle);
        if (queue.waiting.size === 0) this.#closeQueue(group, queue);
        resolve(turn);
      };
      const leave = (): void => settle("gone");
      signal.addEventListener("abort", leave);
      queue.waiting.add(settle);
      if (queue.waiting.size > 1) return;
      this.#queues.set(group, queue);
      this.#callNext(group, queue, now);
    });
  }

  /** The pause after so many failures, in milliseconds. */
  pauseAfter(failures: number): number {
    if (failures <= FREE_FAILURES) return 0;
    return backoffPause(failures - FREE_FAILURES - 1, this.pauses);
  }

  /** Waits until the pause is over, lets the first attempt go on, and starts again for the next one. */
  #callNext(group: string, queue: Queue, now: number): void {
    const pause = Math.max(0, (this.#guessers.peek(group)?.next ?? 0) - now);
    queue.timer = setTimeout(() => {
      const then = now + pause;
      const guesser = this.#guessers.peek(group);
      // The attempt before this one may have failed since, and made the pause longer.
      if (guesser === undefined || guesser.next <= then) {
        if (guesser !== undefined) guesser.next = then + this.pauseAfter(guesser.failures);
        const [first] = queue.waiting;
        first?.("come");
      }
      if (queue.waiting.size > 0) this.#callNext(group, queue, then);
    }, pause);
  }

  #closeQueue(group: string, queue: Queue): void {
    clearTimeout(queue.timer);
    this.#queues.delete(group);
  }

  /** Notes a wrong password. */
  fail(address: string, now: number): void {
    const key = addressGroup(address);
    const known = this.#guessers.peek(key);
    const failures = known === undefined || now - known.lastFailure > FORGIVEN_AFTER
      ? 1
      : known.failures + 1;
    this.#guessers.set(key, {
      failures,
      lastFailure: now,
      next: Math.max(known?.next ?? 0, now + this.pauseAfter(failures)),
    });
  }

  /** What is remembered, as plain data. */
  exportState(): ThrottleState {
    return [...this.#guessers.entries()].reverse()
      .map(([group, guesser]) => [group, { ...guesser }]);
  }
}
