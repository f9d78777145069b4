/** A directory as data. */

import type { Entry } from "../shared.ts";
import { columns } from "./columns.ts";
import { batchesOf, peerHref, relativeHref } from "./entries.ts";
import type { Listing } from "./listing.ts";

/**
 * Writes a directory as JSON, one entry a line, in pieces. Fields may be added, these will not change:
 * `path` (of the directory on this server, encoded, with slashes at both ends) and `entries`, in the
 * order that `?sort=` and `?order=` ask for. An entry has its `name`, its `kind` (`file` or
 * `directory`), a field for each of the {@link columns}, its address `href` (a path on this server,
 * encoded, with a slash at the end of a directory, or a URL), and the URL of the `peer` that has it;
 * null when this server does.
 */
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

function toJson(path: string, entry: Entry): Record<string, string | number | null> {
  const { name, kind, remote } = entry;
  const fields: Record<string, string | number | null> = { name, kind };
  for (const column of columns) fields[column.field] = column.data(entry);
  fields["href"] = remote === undefined
    ? path + relativeHref(entry).slice(2)
    : peerHref(remote.href) ?? remote.peer;
  fields["peer"] = remote?.peer ?? null;
  return fields;
}
