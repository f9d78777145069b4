/** Work that takes long and that many may want at the same time, done in turn. */

/**
 * Milliseconds between two pieces of work. While a timer of less is all that it waits for, Deno looks
 * for what has come from the network only now and then (2.9.6).
 */
const PAUSE = 5;

/** Runs pieces of work one after the other, with time in between for whatever else is to be done. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs a piece of work: soon where there is no other, else after all that came before. */
  run<T>(work: () => T): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.then(pause, pause);
    return result;
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE));
}
