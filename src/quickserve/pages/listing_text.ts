/** A directory as a table for a terminal. */

import type { Entry } from "../shared.ts";
import { columns } from "./columns.ts";
import { count, humanSize, visibleText } from "./display.ts";
import { batchesOf, totalsOf } from "./entries.ts";
import type { Totals } from "./entries.ts";
import type { Listing } from "./listing.ts";

/**
 * Writes a directory as a table, in pieces. The name comes last so that it can be as long as it likes.
 * Nothing in it can talk to the terminal: what cannot be seen is written out.
 */
export function* listingAsText({ segments, entries, context }: Listing): Generator<string> {
  const path = segments.map((segment) => visibleText(segment) + "/").join("");
  const { motd } = context.configuration;
  const lines: string[] = [];
  if (motd !== null) lines.push(...motd.trimEnd().split(/\r?\n/).map(visibleText), "");
  lines.push(`/${path}  (${describeTotals(totalsOf(entries))})`, "");
  const headings = columns.map(({ textHeading }) => textHeading);
  if (entries.length > 0) lines.push([...headings, "Name"].join("  "));
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
