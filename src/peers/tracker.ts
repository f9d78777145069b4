/** Stores which server downloads a file first. It is pure state and needs only a clock. */

/** The bounds of what a tracker stores. */
const TRACKER_BOUNDS = {
  /** Greatest number of files. */
  files: 4_096,
  /** Greatest number of files for which instances at one address are named. */
  perAddress: 64,
  /** Milliseconds after which an instance that did not repeat its want is no longer named. */
  lifetime: 30_000,
} as const;

/** A server that asks a tracker. */
export interface Asker {
  readonly instance: string;
  /** The IP address from which it asks. */
  readonly address: string;
}

/** An instance that the tracker names as the one that downloads a file. */
interface Name extends Asker {
  /** Number of bytes of the file that it had when it last asked. */
  have: number;
  /** The times in milliseconds when it was first named, and when it last asked. */
  readonly since: number;
  asked: number;
}

/** The instances that are named for a file. */
interface Entry {
  readonly key: string;
  first: Name | null;
  /**
   * The instance that continues the download when the first one fails: the best of those that could not
   * get the file from it.
   */
  next: Name | null;
}

/** The answer of the tracker: an instance, and the milliseconds for which it has been named. */
interface Named {
  readonly instance: string;
  readonly age: number;
}

/**
 * The state of a tracker. For each file it names one instance: the first that wanted the file, until that
 * reports that it has stopped, or does not repeat its want. To servers that could not get the file from the
 * first instance it names a second one, which is the same for all of them. To all others it still names
 * the first.
 */
export class Tracker {
  readonly #now: () => number;
  /** The entries by their keys, in the order of their last want. */
  readonly #entries = new Map<string, Entry>();
  /** For each address the keys of the entries that name it, the oldest first. */
  readonly #named = new Map<string, Set<string>>();

  /** @param now returns the time in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Number of files with an entry. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Handles a want.
   *
   * @param key identifies the file.
   * @param have the number of bytes of the file that the asker has.
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
      // For a short time, replace it by an asker that has more of the file. Later others may already use it.
      const isBetter = next !== null && next.have < have && mine.since - next.since < GATHERING;
      if (next === null || isBetter || failed.includes(next.instance)) {
        if (next === null || !isSameAsker(next, asker)) this.#set(entry, "next", mine);
      }
    }
  }

  /** Must be called when the asker can no longer provide the file. */
  ended(key: string, asker: Asker): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    if (entry.next !== null && isSameAsker(entry.next, asker)) this.#set(entry, "next", null);
    if (entry.first !== null && isSameAsker(entry.first, asker)) this.#promote(entry);
    if (entry.first === null) this.#forget(entry);
  }

  /**
   * Returns the instance to name to this asker.
   *
   * @returns null when no instance is named: the asker may download the file, and is not stored.
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
    const keys = this.#named.getOrInsertComputed(name.address, () => new Set());
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

/** Milliseconds within which all servers that lost the same source ask again. */
export const GATHERING = 20;

function isSameAsker(one: Asker, other: Asker): boolean {
  return one.instance === other.instance && one.address === other.address;
}
