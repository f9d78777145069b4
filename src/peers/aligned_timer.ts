/**
 * Runs an action periodically. All timers with the same period run at the same moment, so that they wake
 * up an idle machine only once.
 */
export class AlignedTimer {
  readonly #period: number;
  readonly #action: () => void;
  #timer: ReturnType<typeof setTimeout>;

  /** @param period in milliseconds. The time before the first run is shorter. */
  constructor(period: number, action: () => void) {
    this.#period = period;
    this.#action = action;
    this.#timer = this.#wait();
  }

  /** Stops the timer. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #wait(): ReturnType<typeof setTimeout> {
    const left = this.#period - performance.now() % this.#period;
    // If the timer ran slightly too early, do not let it run again at the moment that was meant.
    const delay = left < this.#period / 100 ? left + this.#period : left;
    return setTimeout(() => {
      this.#timer = this.#wait();
      this.#action();
    }, delay);
  }
}
