/** Writes a directory as a table for a terminal. */

import type { Entry } from "../shared.ts";
import { columns } from "./columns.ts";
import { count, humanSize, visibleText } from "./display.ts";
import { batchesOf, type Totals, totalsOf } from "./entries.ts";
import type { ListedSearch, Listing } from "./listing.ts";

/**
 * Writes a directory as a table, in pieces. The name comes last because its length is not limited.
 * Control characters are escaped, so that no name can control the terminal.
 */
export function* listingAsText(listing: Listing): Generator<string> {
  const { segments, entries, context, search } = listing;
  const path = segments.map((segment) => visibleText(segment) + "/").join("");
  const { motd } = context.configuration;
  const lines = motd === null ? [] : [...motd.trimEnd().split(/\r?\n/).map(visibleText), ""];
  const sought = search === null ? "" : `Search for ${visibleText(search.text)} in `;
  lines.push(`${sought}/${path}  (${totalsText(listing)})`, "");
  const headings = columns.map(({ textHeading }) => textHeading);
  if (entries.length > 0) lines.push([...headings, "Name"].join("  "));
  yield lines.join("\n") + "\n";
  for (const batch of batchesOf(entries)) {
    yield batch.map((entry) => lineOf(entry) + "\n").join("");
  }
}

/** Returns a summary of a listing; for a search, with the limit that ended it early. */
export function totalsText({ entries, search }: Listing): string {
  if (search === null) return describeTotals(totalsOf(entries));
  const found = `${count(entries.length, "match", "matches")} here and below`;
  return search.endedBy === null ? found : `${found}. ${endings[search.endedBy]}`;
}

/** Sentences for the limits that end a search early. */
const endings: Readonly<Record<NonNullable<ListedSearch["endedBy"]>, string>> = {
  results: "There are more matches: use more words.",
  entries: "Not everything was searched: there are too many files.",
  time: "Not everything was searched: it took too long.",
  remoteDirectories: "Not all directories of the peers were searched.",
};

/** Formats totals: `3 files, 1 directory, 12.3 MiB`; `empty` if there are no entries. */
function describeTotals({ files, directories, size }: Totals): string {
  const parts: string[] = [];
  if (directories > 0) parts.push(count(directories, "directory", "directories"));
  if (files > 0) parts.push(count(files, "file"), humanSize(size));
  return parts.length === 0 ? "empty" : parts.join(", ");
}

function lineOf(entry: Entry): string {
  const { name, kind, remote } = entry;
  const cells = columns.map(({ textHeading, text }) => {
    const cell = text(entry) ?? "-";
    const { length } = textHeading;
    return textHeading.startsWith(" ") ? cell.padStart(length) : cell.padEnd(length);
  });
  const shown = visibleText(name) + (kind === "directory" ? "/" : "") +
    (remote === undefined ? "" : `  on ${visibleText(remote.peer)}`);
  return [...cells, shown].join("  ");
}
