/** Whether the journal reads what is written to standard output. */

import { fstatSync } from "node:fs";

/**
 * True when standard output is the journal's stream: systemd names that by device and inode in
 * `JOURNAL_STREAM` (systemd.exec(5)). The variable alone says nothing, since what a service starts
 * inherits it: a terminal, and the shell in it.
 */
export function isJournalOutput(): boolean {
  const stream = Deno.env.get("JOURNAL_STREAM");
  if (stream === undefined) return false;
  const { dev, ino } = fstatSync(1);
  return stream === `${dev}:${ino}`;
}
