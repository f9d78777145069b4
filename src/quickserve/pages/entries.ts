/** The entries of a listing and their order. */

import { encodeSegment } from "../../http/target.ts";
import type { RemoteEntry } from "../../peers/listing.ts";
import type { Entry } from "../shared.ts";
import { columns } from "./columns.ts";
import type { Column } from "./columns.ts";

/** The order of a listing, as `?sort=` and `?order=` name it. */
export interface ListingOrder {
  /** Null: by name. */
  readonly column: Column | null;
  readonly descending: boolean;
}

/** Reads the order from the parameters of a query; what is not understood is ignored. */
export function orderOf(parameters: URLSearchParams): ListingOrder {
  const name = parameters.get("sort");
  return {
    column: columns.find((column) => column.name === name) ?? null,
    descending: parameters.get("order") === "desc",
  };
}

/** The query that asks for an order: `?sort=size&order=desc`. */
export function queryOf({ column, descending }: ListingOrder): string {
  return `?sort=${column?.name ?? "name"}&order=${descending ? "desc" : "asc"}`;
}

/** A sorted copy of a listing: directories first, then by the column, equals by name. */
export function sortEntries(
  entries: readonly Entry[],
  { column, descending }: ListingOrder,
): Entry[] {
  const sign = descending ? -1 : 1;
  const keyed = entries.map((entry) => ({
    entry,
    rank: entry.kind === "directory" ? 0 : 1,
    value: column?.order(entry) ?? 0,
    key: naturalKey(entry.name),
  }));
  const nameSign = column === null ? sign : 1;
  keyed.sort((a, b) =>
    a.rank - b.rank || sign * (a.value - b.value) ||
    nameSign * (compare(a.key, b.key) || compare(a.entry.name, b.entry.name))
  );
  return keyed.map(({ entry }) => entry);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The link to an entry, relative to its directory. The `./` keeps a name like `javascript:x` or
 * `a:b` from being taken for a scheme.
 */
export function relativeHref({ name, kind }: Pick<Entry, "name" | "kind">): string {
  return "./" + encodeSegment(name.toWellFormed()) + (kind === "directory" ? "/" : "");
}

/** An `http:` or `https:` URL of a peer, normalized; null for anything else, which gets no link. */
export function peerHref(href: string): string | null {
  const url = URL.parse(href);
  return url?.protocol === "http:" || url?.protocol === "https:" ? url.href : null;
}

/** How many there are, and how much: `3 files, 1 directory, 12.3 MiB` is made of it. */
export interface Totals {
  readonly files: number;
  readonly directories: number;
  /** In bytes, of the files whose size is known. */
  readonly size: number;
}

/** Counts the entries of a listing. */
export function totalsOf(entries: readonly Entry[]): Totals {
  let files = 0;
  let size = 0;
  for (const entry of entries) {
    if (entry.kind === "directory") continue;
    files++;
    size += entry.size ?? 0;
  }
  return { files, directories: entries.length - files, size };
}

/** This server's entries and what peers have besides: of one name, ours counts, then the first. */
export function mergeEntries(
  own: readonly Entry[],
  remote: readonly RemoteEntry[],
): Entry[] {
  const merged = new Map<string, Entry>(own.map((entry) => [entry.name, entry]));
  for (const { name, href, peer, size, mtime, dir } of remote) {
    if (merged.has(name)) continue;
    merged.set(name, {
      name,
      kind: dir ? "directory" : "file",
      size: dir ? null : size,
      modified: mtime * 1000,
      remote: { peer, href },
    });
  }
  return [...merged.values()];
}

/** Takes a list in batches of a size that is quick to write and small to keep. */
export function* batchesOf<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += 500) yield items.slice(start, start + 500);
}

/**
 * A key of a name for the order in which people expect names, `file2` before `file10`, `Ärger` beside
 * `arm`: names are in that order when their keys are in the order of code units. Capitals
 * and accents do not matter, and numbers count by their value.
 *
 * It is the same everywhere, and three times as fast as `Intl.Collator` with `numeric`, which a
 * directory of 50,000 entries would wait a third of a second for.
 */
function naturalKey(name: string): string {
  const plain = isAscii(name) ? name : name.normalize("NFKD").replace(/\p{M}/gu, "");
  return plain.toLowerCase().replace(/\d+/g, numberKey);
}

/** The longer of two numbers is the greater one, so that their length goes first. */
function numberKey(digits: string): string {
  const value = digits.replace(/^0+(?=\d)/, "");
  const { length } = value;
  return (length < 9 ? String(length) : "9" + String(length).padStart(6, "0")) + value;
}

function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}
