/** Decides when to ask for a stored or missing record (RFC 6762 §5.2). All times are in milliseconds. */

/** Least and greatest delay of a question that several hosts may want to ask at the same time. */
const FIRST_DELAY = [20, 120] as const;

/** Share of its time to live after which a record is requested again. */
const FIRST_RENEWAL = 0.8;
const RENEWAL_STEP = 0.05;

/**
 * Greatest random addition to that share, so that hosts that received the same record do not all renew it
 * at once.
 */
const RENEWAL_JITTER = 0.02;

const SECOND = 1_000;

/**
 * Number of questions for a missing record. The second one is sent after a second, and each delay is
 * twice the previous one.
 */
const TRIES = 4;
const LONG_PAUSE = 60 * SECOND;

/** Greatest accepted time to live, in seconds: the one recommended in RFC 6762 §10. */
export const MAX_TTL = 4_500;

/**
 * Time for which a record is still stored after its end was announced, because its owner may announce it
 * again (§10.1).
 */
const GOODBYE_DELAY = SECOND;

/** The schedule of one record, or of a set of records. */
export class Freshness {
  readonly #random: () => number;
  #due: number;
  #expires = -Infinity;
  #ttl = 0;
  #tries = 0;

  /** Makes the schedule of a missing record. */
  constructor(now: number, random: () => number) {
    this.#random = random;
    const [least, most] = FIRST_DELAY;
    this.#due = now + least + random() * (most - least);
  }

  /** The time when the question for it is due. */
  get due(): number {
    return this.#due;
  }

  /** The time when it expires. */
  get expires(): number {
    return this.#expires;
  }

  /** Returns the remaining time to live in whole seconds. */
  remaining(now: number): number {
    return Math.max(0, Math.floor((this.#expires - now) / SECOND));
  }

  /** Returns true when more than half of its time to live is left. Then its owner need not repeat it (§7.1). */
  isYoung(now: number): boolean {
    return this.#expires - now > this.#ttl / 2 * SECOND;
  }

  /** Must be called when the record arrived. @param ttl its time to live in seconds; 0 announces its end. */
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

  /** Must be called when this host or another one asked for the record. */
  asked(now: number): void {
    if (now < this.#expires) {
      this.#due = now + Math.max(SECOND, this.#ttl * SECOND * RENEWAL_STEP);
    } else {
      this.#tries++;
      this.#due = now + (this.#tries > TRIES ? LONG_PAUSE : SECOND * 2 ** (this.#tries - 1));
    }
  }
}
