/**
 * The format of an index: the names that a server has, as 32-bit hashes.
 *
 * A hash is enough: before a server relies on an index, it asks the peer for the file itself, therefore
 * two names with the same hash only cost one question. Hashes are also small: 10,000 packages with their
 * signatures take 60 kB in a message and 80 kB in memory, however long their names are.
 *
 * The format is `PSI1`, one byte of flags, then the list of all (or all added) names, then the list of removed
 * names. Each list is its length and the differences between the sorted hashes, as LEB128 numbers.
 */

const MAGIC = Uint8Array.of(0x50, 0x53, 0x49, 0x31);

const FLAG_CHANGES = 1;
const FLAG_WATCHED = 2;

/** The path and query of the index on a server. */
export const INDEX_TARGET = "/?index=pkg";

/** The greatest number of names in an index. */
const MAX_NAMES = 500_000;

/** Greatest size in bytes of an index in a message. */
export const MAX_INDEX = 4 << 20;

/** An index, or the changes since an earlier one. The arrays are sorted and have no duplicates. */
export interface IndexMessage {
  /** True for changes since an earlier index; false when `added` is the complete index. */
  readonly changes: boolean;
  /** True when the server notices every change. Then it does not have a file whose name is not in the index. */
  readonly watched: boolean;
  readonly added: Uint32Array;
  readonly removed: Uint32Array;
}

/** Returns the hash of a file's name: 32 bits, FNV-1a with a finalizer that mixes the bits. */
export function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b);
  hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae35);
  return (hash ^ hash >>> 16) >>> 0;
}

/** Returns the hashes of names, sorted and without duplicates. */
export function hashesOf(names: Iterable<string>): Uint32Array {
  return sortedUnique(Uint32Array.from(names, hashOf));
}

/** Returns true when a sorted array contains the number. */
export function includes(sorted: Uint32Array, value: number): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === value;
}

/** Returns the numbers that are in `one` and not in `other`. Both must be sorted. */
export function difference(one: Uint32Array, other: Uint32Array): Uint32Array {
  return one.filter((value) => !includes(other, value));
}

/** Returns an index after applying changes. */
export function applied(index: Uint32Array, changes: IndexMessage): Uint32Array {
  const kept = difference(index, changes.removed);
  const all = new Uint32Array(kept.length + changes.added.length);
  all.set(kept);
  all.set(changes.added, kept.length);
  return sortedUnique(all);
}

/** Returns the bytes of an index. */
export function encodeIndex(message: IndexMessage): Uint8Array {
  const flags = (message.changes ? FLAG_CHANGES : 0) | (message.watched ? FLAG_WATCHED : 0);
  const longest = MAGIC.length + 1 + 10 + 5 * (message.added.length + message.removed.length);
  const bytes = new Uint8Array(longest);
  bytes.set(MAGIC);
  bytes[MAGIC.length] = flags;
  let offset = MAGIC.length + 1;
  const put = (number: number): void => {
    let rest = number;
    while (rest > 0x7f) {
      bytes[offset++] = rest & 0x7f | 0x80;
      rest >>>= 7;
    }
    bytes[offset++] = rest;
  };
  for (const list of [message.added, message.removed]) {
    put(list.length);
    let before = 0;
    for (const hash of list) {
      put(hash - before);
      before = hash;
    }
  }
  return bytes.slice(0, offset);
}

/**
 * Parses an index.
 *
 * @returns null when the bytes are not an index.
 */
export function decodeIndex(bytes: Uint8Array): IndexMessage | null {
  if (bytes.length > MAX_INDEX || MAGIC.some((byte, i) => bytes[i] !== byte)) return null;
  const flags = bytes[MAGIC.length];
  if (flags === undefined || flags > (FLAG_CHANGES | FLAG_WATCHED)) return null;
  let offset = MAGIC.length + 1;
  const take = (): number | null => {
    let number = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[offset++];
      if (byte === undefined) return null;
      number += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return number <= 0xffffffff ? number : null;
    }
    return null;
  };
  const takeList = (): Uint32Array | null => {
    const length = take();
    if (length === null || length > MAX_NAMES || length > bytes.length - offset) return null;
    const list = new Uint32Array(length);
    let before = 0;
    for (let i = 0; i < length; i++) {
      const distance = take();
      if (distance === null || (i > 0 && distance === 0)) return null;
      before += distance;
      if (before > 0xffffffff) return null;
      list[i] = before;
    }
    return list;
  };
  const added = takeList();
  const removed = added === null ? null : takeList();
  if (added === null || removed === null || offset !== bytes.length) return null;
  const changes = (flags & FLAG_CHANGES) !== 0;
  return { changes, watched: (flags & FLAG_WATCHED) !== 0, added, removed };
}

function sortedUnique(hashes: Uint32Array): Uint32Array {
  return hashes.sort().filter((hash, i) => i === 0 || hash !== hashes[i - 1]);
}
