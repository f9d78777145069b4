/**
 * Stores the received packages that no transaction has asked about yet, while the server restarts. An
 * upgrade of pacserve restarts it in the middle of the transaction.
 */

import type { ReceivedPackage } from "../pacserve/received_packages.ts";
import { field, isCount, itemsOf } from "../json.ts";
import { join } from "../std.ts";

/** The greatest size in bytes of a file that is read; no valid file is as large. */
const MAX_SIZE = 4 << 20;

/**
 * Reads the file of the previous server, and removes it, so that no package is reported twice. It ignores a
 * file that it cannot read, because only one line of output depends on it.
 *
 * @param directory the state directory of the server.
 */
export async function takeReceived(directory: string): Promise<ReceivedPackage[]> {
  const path = pathIn(directory);
  try {
    const { size, isFile } = await Deno.stat(path);
    // Reading a pipe would wait for a writer.
    const text = !isFile || size > MAX_SIZE ? "[]" : await Deno.readTextFile(path);
    await Deno.remove(path);
    return itemsOf(JSON.parse(text)).filter(isReceived);
  } catch {
    return [];
  }
}

/** Writes the file for the next server. */
export async function leaveReceived(
  directory: string,
  packages: readonly ReceivedPackage[],
): Promise<void> {
  if (packages.length === 0) return;
  const path = pathIn(directory);
  try {
    await Deno.remove(path).catch(() => {});
    const text = JSON.stringify(packages);
    await Deno.writeTextFile(path, text, { createNew: true, mode: 0o600 });
  } catch {
    // Without the file, one line is not printed.
  }
}

function pathIn(directory: string): string {
  return join(directory, "received.json");
}

function isReceived(data: unknown): data is ReceivedPackage {
  return typeof field(data, "file") === "string" && isCount(field(data, "lan")) &&
    isCount(field(data, "total"));
}
