/** Remembers who downloads a file first. Pure state: its clock and its bounds are its only world. */

/** How much a tracker remembers, and for how long. */
const TRACKER_BOUNDS = {
  /** Files in all. */
  files: 4_096,
  /** Files for which one address is named. */
  perAddress: 64,
  /** Milliseconds after which an instance that did not repeat its want is named no more. */
  lifetime: 30_000,
} as const;

/** Who asks a tracker. */
export interface Asker {
  readonly instance: string;
  /** IP address from which it asks. */
  readonly address: string;
}

/** An instance that is named. */
interface Name extends Asker {
  /** Bytes that it had when it last asked. */
  have: number;
  /** When it was named first, and when it last asked, in milliseconds. */
  readonly since: number;
  asked: number;
}

/** Who is named for a file. */
interface Entry {
  readonly key: string;
  first: Name | null;
  /** Who goes on when the first one fails: the best of those that could not get the file from it. */
  next: Name | null;
}

/** What the tracker answers: an instance, and for how long (ms) it has been named. */
interface Named {
  readonly instance: string;
  readonly age: number;
}

/**
 * The memory of a tracker. For each file it names one instance: the first that wanted it, until that
 * says that it ended, or does not repeat its want. Whoever could not get the file from the first is told
 * another one, the same for all in this case; for everybody else the first stays the first.
 */
export class Tracker {
  readonly #now: () => number;
  /** The entry that was asked for last is the last one. */
  readonly #entries = new Map<string, Entry>();
  /** The keys of the entries in which an address is named; the oldest first. */
  readonly #named = new Map<string, Set<string>>();

  /** @param now the time in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Number of files that are remembered. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Takes a want in.
   *
   * @param key of the file: two files with the same key are the same.
   * @param have bytes that the asker has.
   * @param failed instances from which the asker could not get the file.
   */
  want(key: string, asker: Asker, have: number, failed: readonly string[]): void {
    const entry = this.#entryOf(key);
    for (const name of [entry.first, entry.next]) {
      if (name === null || !isSameAsker(name, asker)) continue;
      name.have = have;
      name.asked = this.#now();
    }
    const mine = { ...asker, have, since: this.#now(), asked: this.#now() };
    const { first, next } = entry;
    if (first === null) this.#set(entry, "first", mine);
    else if (!isSameAsker(first, asker) && failed.includes(first.instance)) {
      // Before the others know of it, the one with most of the file goes on; later it stays.
      const isBetter = next !== null && next.have < have && mine.since - next.since < GATHERING;
      if (next === null || isBetter || failed.includes(next.instance)) {
        if (next === null || !isSameAsker(next, asker)) this.#set(entry, "next", mine);
      }
    }
  }

  /** The asker has nothing to give any more. */
  ended(key: string, asker: Asker): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    if (entry.next !== null && isSameAsker(entry.next, asker)) this.#set(entry, "next", null);
    if (entry.first !== null && isSameAsker(entry.first, asker)) this.#promote(entry);
    if (entry.first === null) this.#forget(entry);
  }

  /**
   * Who is named to this asker.
   *
   * @returns null when nobody is named: the asker may download it, and is not remembered.
   */
  named(key: string, { instance }: Asker, failed: readonly string[]): Named | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    this.#expire(entry);
    const { first, next } = entry;
    const name = [first, next].find((each) =>
      each !== null && (each.instance === instance || !failed.includes(each.instance))
    );
    return name === undefined || name === null
      ? null
      : { instance: name.instance, age: this.#now() - name.since };
  }

  #entryOf(key: string): Entry {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      this.#expire(known);
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return known;
    }
    if (this.#entries.size >= TRACKER_BOUNDS.files) {
      const [oldest] = this.#entries.values();
      if (oldest !== undefined) this.#forget(oldest);
    }
    const entry: Entry = { key, first: null, next: null };
    this.#entries.set(key, entry);
    return entry;
  }

  #expire(entry: Entry): void {
    const isOver = (name: Name | null): boolean =>
      name !== null && this.#now() - name.asked > TRACKER_BOUNDS.lifetime;
    if (isOver(entry.next)) this.#set(entry, "next", null);
    if (isOver(entry.first)) this.#promote(entry);
  }

  #promote(entry: Entry): void {
    const { next } = entry;
    entry.next = null;
    this.#set(entry, "first", next);
  }

  #set(entry: Entry, place: "first" | "next", name: Name | null): void {
    const before = entry[place];
    entry[place] = name;
    if (before !== null) this.#uncount(before.address, entry);
    if (name === null) return;
    const keys = this.#named.get(name.address) ?? new Set();
    this.#named.set(name.address, keys);
    keys.delete(entry.key);
    keys.add(entry.key);
    if (keys.size <= TRACKER_BOUNDS.perAddress) return;
    const [oldest] = keys;
    const other = this.#entries.get(oldest ?? "");
    if (other === undefined) return;
    if (other.next?.address === name.address) this.#set(other, "next", null);
    if (other.first?.address === name.address) this.#promote(other);
    if (other.first === null) this.#forget(other);
  }

  #uncount(address: string, { key, first, next }: Entry): void {
    if (first?.address === address || next?.address === address) return;
    const keys = this.#named.get(address);
    keys?.delete(key);
    if (keys?.size === 0) this.#named.delete(address);
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.key);
    const addresses = [entry.first?.address, entry.next?.address];
    entry.first = null;
    entry.next = null;
    for (const address of addresses) if (address !== undefined) this.#uncount(address, entry);
  }
}

/** Milliseconds in which those that lost the same source ask, one shortly after the other. */
export const GATHERING = 20;

function isSameAsker(one: Asker, other: Asker): boolean {
  return one.instance === other.instance && one.address === other.address;
}
