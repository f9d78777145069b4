/** Work that many may ask for at the same time, done for all of them together. */

/**
 * Runs work by its key, at most one of a key at a time. Who asks while it runs gets the result of the
 * next run, together with all others who do: so a result is never older than the question, and many
 * who ask cost as much as two.
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
