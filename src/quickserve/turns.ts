/** Work that many clients may ask for at the same time: done in turn, or once for all of them. */

/**
 * Milliseconds between two pieces of work. While Deno (2.9.6) waits for a shorter timer only, it looks
 * for input from the network only now and then.
 */
const PAUSE = 5;

/** Runs pieces of work one after the other, with time in between for other work. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs a piece of work: soon where there is no other, else after all that came before. */
  run<T>(work: () => T): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.then(giveWay, giveWay);
    return result;
  }
}

/** Lets the event loop do what else waits, in the middle of long work. */
export function giveWay(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE));
}

/**
 * Runs work by its key, at most one of a key at a time. All callers that ask while it runs get the
 * result of the next run: therefore a result is never older than the question, and many callers cost
 * as much as two.
 */
export class CoalescedRuns<T> {
  readonly #running = new Map<string, Promise<T>>();
  readonly #next = new Map<string, Promise<T>>();

  /**
   * The result of a run that begins now or later.
   *
   * @param work does the same for the same key.
   */
  run(key: string, work: () => Promise<T>): Promise<T> {
    const next = this.#next.get(key);
    if (next !== undefined) return next;
    const running = this.#running.get(key);
    if (running === undefined) return this.#begin(key, work);
    const begin = (): Promise<T> => {
      this.#next.delete(key);
      return this.#begin(key, work);
    };
    const later = running.then(begin, begin);
    this.#next.set(key, later);
    return later;
  }

  #begin(key: string, work: () => Promise<T>): Promise<T> {
    const result = work().finally(() => this.#running.delete(key));
    this.#running.set(key, result);
    return result;
  }
}
