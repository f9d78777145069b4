/** Bounds work that many clients may request at the same time: in turn, or once for all of them. */

/**
 * Milliseconds between two pieces of work. While Deno (2.9.6) waits only for shorter timers, it polls the
 * network only now and then.
 */
const PAUSE = 5;

/**
 * Milliseconds of long work at a time. Other requests wait for hardly longer than that. Each pause takes
 * more than a millisecond.
 */
const SLICE = 15;

/** Splits long work into slices, and lets the event loop do other work between them. */
export class Slices {
  #end = performance.now() + SLICE;

  /** Must be awaited every few milliseconds of the work: gives way if the slice is over. */
  async next(): Promise<void> {
    if (performance.now() < this.#end) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#end = performance.now() + SLICE;
  }
}

/** Strings that are sorted at a time, which takes a few milliseconds. */
const SORTED_AT_A_TIME = 5000;

/**
 * Returns a sorted copy of a list, with pauses for other work.
 *
 * @param compare by default, the items are strings, and are compared by code units.
 */
export async function sortInSlices<Item>(
  items: readonly Item[],
  slices: Slices,
  compare?: (a: Item, b: Item) => number,
): Promise<Item[]> {
  const sorted: Item[] = [];
  for (let start = 0; start < items.length; start += SORTED_AT_A_TIME) {
    sorted.push(...items.slice(start, start + SORTED_AT_A_TIME).sort(compare));
    await slices.next();
  }
  // This is fast: the algorithm of V8 (TimSort) only merges parts that are sorted already.
  return sorted.sort(compare);
}

/** The number of the first item in its key. All numbers have as many digits, so that keys end alike. */
const FIRST = 1_000_000_000;
const NUMBER_LENGTH = String(FIRST).length;

/** Keys that are made, or resolved, at a time. */
const KEYS_AT_A_TIME = 500;

/**
 * Returns a copy of a list, sorted by a key of each item, by code units.
 *
 * Strings are sorted, and not objects, because that needs no comparison function. Each is a key and, after
 * a NUL, which no key may contain, the number of the item.
 *
 * @param compare sorts the items with the same key; by default they keep their order.
 */
export async function sortByKey<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  slices: Slices,
  compare?: (a: Item, b: Item) => number,
): Promise<Item[]> {
  const keys: string[] = [];
  for (const item of items) {
    keys.push(`${keyOf(item)}\0${FIRST + keys.length}`);
    if (keys.length % KEYS_AT_A_TIME === 0) await slices.next();
  }
  const sorted: Item[] = [];
  let before = "";
  /** Position of the first item with the same key as the last one. */
  let first = 0;
  const sortEqual = (): void => {
    if (compare === undefined || sorted.length - first < 2) return;
    for (const item of sorted.splice(first).sort(compare)) sorted.push(item);
  };
  for (const key of await sortInSlices(keys, slices)) {
    if (key.length !== before.length || !key.startsWith(before.slice(0, -NUMBER_LENGTH))) {
      sortEqual();
      first = sorted.length;
    }
    before = key;
    sorted.push(items[Number(key.slice(-NUMBER_LENGTH)) - FIRST] as Item);
    if (sorted.length % KEYS_AT_A_TIME === 0) await slices.next();
  }
  sortEqual();
  return sorted;
}

/** Runs pieces of work one after the other, with a pause in between for other work. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs a piece of work after all earlier ones; soon if there are none. */
  run<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.then(giveWay, giveWay);
    return result;
  }
}

/** Lets the event loop do what else waits, in the middle of long work. */
function giveWay(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE));
}

/**
 * Runs work by key, at most one run per key at a time. Callers that arrive during a run get the result of
 * the next run. Therefore no result is older than its call, and many callers cost as much as two.
 */
export class CoalescedRuns<T> {
  readonly #running = new Map<string, Promise<T>>();
  readonly #next = new Map<string, Promise<T>>();

  /**
   * Returns the result of a run that begins now or later.
   *
   * @param work must do the same for the same key.
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
