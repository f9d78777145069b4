/** A directory as a table for a terminal. */

import { count, humanSize, isoTime, shortTime, visibleName, visibleText } from "./display.ts";
import { batchesOf, totalsOf } from "./entries.ts";
import type { ListedEntry, Totals } from "./entries.ts";
import type { Listing } from "./listing.ts";

/**
 * Writes a directory as a table: size, time (UTC) and name, which comes last so that it can be as long
 * as it likes. Nothing in it can talk to the terminal: what cannot be seen is written out. In
 * pieces.
 */
export function* listingAsText({ segments, entries, context }: Listing): Generator<string> {
  const path = segments.map((segment) => visibleName(segment) + "/").join("");
  const { motd } = context.configuration;
  const lines: string[] = [];
  if (motd !== null) lines.push(...motd.trimEnd().split(/\r?\n/).map(visibleText), "");
  lines.push(`/${path}  (${describeTotals(totalsOf(entries))})`, "");
  if (entries.length > 0) lines.push("      Size  Modified (UTC)    Name");
  yield lines.join("\n") + "\n";
  for (const batch of batchesOf(entries)) {
    yield batch.map((entry) => lineOf(entry) + "\n").join("");
  }
}

/** `3 files, 1 directory, 12.3 MiB`; an empty directory is `empty`. */
export function describeTotals({ files, directories, size }: Totals): string {
  const parts: string[] = [];
  if (directories > 0) parts.push(count(directories, "directory", "directories"));
  if (files > 0) parts.push(count(files, "file"), humanSize(size));
  return parts.length === 0 ? "empty" : parts.join(", ");
}

function lineOf({ name, kind, size, modified, remote }: ListedEntry): string {
  const iso = modified === null ? null : isoTime(modified);
  const columns = [
    (size === null ? "-" : humanSize(size)).padStart(10),
    (iso === null ? "-" : shortTime(iso)).padEnd(16),
    visibleName(name) + (kind === "directory" ? "/" : "") +
    (remote === undefined ? "" : `  on ${visibleText(remote.peer)}`),
  ];
  return columns.join("  ");
}
