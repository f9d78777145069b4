/**
 * A timer for what is done again and again. All with the same period go off in the same moment, so that
 * an idle machine is woken up once for all of them.
 */
export class AlignedTimer {
  readonly #period: number;
  readonly #action: () => void;
  #timer: ReturnType<typeof setTimeout>;

  /** @param period milliseconds; the first time comes sooner. */
  constructor(period: number, action: () => void) {
    this.#period = period;
    this.#action = action;
    this.#timer = this.#wait();
  }

  /** It goes off no more. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #wait(): ReturnType<typeof setTimeout> {
    const left = this.#period - performance.now() % this.#period;
    // A timer that goes off a moment too early must not go off again in the same moment.
    const delay = left < this.#period / 100 ? left + this.#period : left;
    return setTimeout(() => {
      this.#timer = this.#wait();
      this.#action();
    }, delay);
  }
}
