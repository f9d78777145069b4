/** A directory as data. */

import { isoTime } from "./display.ts";
import { batchesOf, peerHref, relativeHref } from "./entries.ts";
import type { ListedEntry } from "./entries.ts";
import type { Listing } from "./listing.ts";

/** An entry of {@link JsonListing}. */
export interface JsonEntry {
  readonly name: string;
  readonly kind: "file" | "directory";
  /** In bytes; null for a directory, and where a peer does not say. */
  readonly size: number | null;
  /** Time of the last change in ISO 8601, UTC, to the second; null where it is not known. */
  readonly modified: string | null;
  /** Its address: a path on this server (encoded, with a slash at the end of a directory), or a URL. */
  readonly href: string;
  /** Address of the peer that has it; null when this server does. */
  readonly peer: string | null;
}

/** What a directory is as `application/json`. Fields may be added, these will not change. */
export interface JsonListing {
  /** Path of the directory on this server, encoded, with slashes at both ends. */
  readonly path: string;
  /** In the order that `?sort=` and `?order=` ask for. */
  readonly entries: readonly JsonEntry[];
}

/** Writes a directory as a {@link JsonListing}, one entry a line, in pieces. */
export function* listingAsJson({ path, entries }: Listing): Generator<string> {
  yield `{\n  "path": ${JSON.stringify(path)},\n  "entries": [`;
  let separator = "\n";
  for (const batch of batchesOf(entries)) {
    const lines = batch.map((entry) => `    ${JSON.stringify(toJson(path, entry))}`);
    yield separator + lines.join(",\n");
    separator = ",\n";
  }
  yield entries.length === 0 ? "]\n}\n" : "\n  ]\n}\n";
}

function toJson(path: string, entry: ListedEntry): JsonEntry {
  const { name, kind, size, modified, remote } = entry;
  return {
    name,
    kind,
    size,
    modified: modified === null ? null : isoTime(modified),
    href: remote === undefined
      ? path + relativeHref(entry).slice(2)
      : peerHref(remote.href) ?? remote.peer,
    peer: remote?.peer ?? null,
  };
}
