/** When a record that is kept, or is missing, has to be asked for (RFC 6762 §5.2). Milliseconds. */

/** A question that several hosts may have waits for so long at least before it is asked, and at most. */
const FIRST_DELAY = [20, 120] as const;

/** Shares of its time to live after which a record is asked for again. */
const FIRST_RENEWAL = 0.8;
const RENEWAL_STEP = 0.05;

/** Hosts that heard the same record must not all renew it at once. */
const RENEWAL_JITTER = 0.02;

const SECOND = 1_000;

/** Questions for what is missing: one a second later, then after twice the time, and so on. */
const TRIES = 4;
const LONG_PAUSE = 60 * SECOND;

/** Longest time to live that is believed: that of RFC 6762 §10, in seconds. */
export const MAX_TTL = 4_500;

/** A record whose end was announced is kept for so long: its owner may contradict (§10.1). */
const GOODBYE_DELAY = SECOND;

/** The schedule of one record, or of a set of them. */
export class Freshness {
  readonly #random: () => number;
  #due: number;
  #expires = -Infinity;
  #ttl = 0;
  #tries = 0;

  /** The schedule of what is missing. */
  constructor(now: number, random: () => number) {
    this.#random = random;
    const [least, most] = FIRST_DELAY;
    this.#due = now + least + random() * (most - least);
  }

  /** When the question for it is due. */
  get due(): number {
    return this.#due;
  }

  /** When it is true no longer. */
  get expires(): number {
    return this.#expires;
  }

  /** Whole seconds for which it remains true. */
  remaining(now: number): number {
    return Math.max(0, Math.floor((this.#expires - now) / SECOND));
  }

  /** True when more than half of its time is left: then nobody needs to say it again (§7.1). */
  isYoung(now: number): boolean {
    return this.#expires - now > this.#ttl / 2 * SECOND;
  }

  /** The record came in. @param ttl seconds; 0: it is true no longer. */
  received(ttl: number, now: number): void {
    if (ttl === 0) {
      this.#expires = Math.min(this.#expires, now + GOODBYE_DELAY);
      this.#due = Infinity;
      return;
    }
    this.#ttl = Math.min(ttl, MAX_TTL);
    this.#tries = 0;
    this.#expires = now + this.#ttl * SECOND;
    const share = FIRST_RENEWAL + this.#random() * RENEWAL_JITTER;
    this.#due = now + this.#ttl * SECOND * share;
  }

  /** The question was asked, by this host or another. */
  asked(now: number): void {
    if (now < this.#expires) {
      this.#due = now + Math.max(SECOND, this.#ttl * SECOND * RENEWAL_STEP);
    } else {
      this.#tries++;
      this.#due = now + (this.#tries > TRIES ? LONG_PAUSE : SECOND * 2 ** (this.#tries - 1));
    }
  }
}
