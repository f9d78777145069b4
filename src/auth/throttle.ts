/** Slows down password guessing, for each IP address separately. */

import { backoffPause, type BackoffRange } from "../backoff.ts";
import { BoundedMap } from "../bounded_map.ts";
import { addressGroup } from "../http/address.ts";
import type { HttpRequest } from "../http/exchange.ts";

/** Failures that cost nothing: people mistype. */
const FREE_FAILURES = 3;
/** After this time without a failure, in milliseconds, the failures of an address are forgotten. */
const FORGIVEN_AFTER = 10 * 60 * 1000;
/**
 * How many attempts of one address may wait; the last of them waits for up to four minutes. This is
 * far fewer than the connections that an address may have, so that other clients at the address can
 * still connect.
 */
const MAX_WAITING = 64;

/** The pauses between two attempts after {@link FREE_FAILURES}, in milliseconds. */
export const PAUSES: BackoffRange = { first: 500, max: 4_000 };

/**
 * The decision about an attempt: its password may be checked ("come"), its client has gone away
 * ("gone"), or too many attempts of its address are waiting ("refused").
 */
export type Turn = "come" | "gone" | "refused";

/** The failures of an address; times in milliseconds since 1970. Plain data. */
interface Guesser {
  failures: number;
  lastFailure: number;
  /** When the password of the next attempt may be checked. */
  next: number;
}

/** State for the worker that replaces this one: each address with its failures. Plain data. */
export type ThrottleState = readonly (readonly [string, Readonly<Guesser>])[];

/** The parts of a request that are needed here. */
type Attempt = Pick<HttpRequest, "connection" | "signal">;

/** The waiting attempts of one address, in order of arrival. */
interface Queue {
  readonly waiting: Set<(turn: Turn) => void>;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/**
 * Counts the failures of each IPv4 address or IPv6 /64 network (one host can use all of a /64).
 *
 * Attempts of an address that has failed too often are checked one after the other, in order of arrival
 * and with pauses between them. Parallel attempts are therefore no faster, and other users at that
 * address (behind the same NAT) are answered late instead of never. A client that goes away loses its
 * place. The table is bounded; when it is full, the address that has not failed for longest is dropped.
 */
export class Throttle {
  /** In the order of their last failures; reading an entry (`peek`) does not change the order. */
  readonly #guessers: BoundedMap<string, Guesser>;
  readonly #queues = new Map<string, Queue>();

  constructor(
    capacity: number,
    state: ThrottleState = [],
    readonly pauses: BackoffRange = PAUSES,
  ) {
    this.#guessers = new BoundedMap(capacity);
    for (const [group, guesser] of state) this.#guessers.set(group, { ...guesser });
  }

  /**
   * Decides whether the password of an attempt may be checked: at once, except for an address that has
   * failed too often; then a promise resolves when it is the attempt's turn.
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

  /** The pause after a number of failures, in milliseconds. */
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
      // The previous attempt may have failed in the meantime, and made the pause longer.
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

  /** The whole state, as plain data. */
  exportState(): ThrottleState {
    return [...this.#guessers.entries()].reverse()
      .map(([group, guesser]) => [group, { ...guesser }]);
  }
}
