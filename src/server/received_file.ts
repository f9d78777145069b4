/**
 * Keeps what no transaction has asked for yet while the server is restarted: an upgrade of pacserve
 * restarts it in the middle of the transaction.
 */

import { join } from "node:path";
import type { ReceivedPackage } from "../pacserve/received_packages.ts";
import { field, isCount } from "../status/traffic.ts";

/** More than any such file has, in bytes. */
const MAX_SIZE = 4 << 20;

/**
 * Reads what the server before this one left, and removes it: nothing is told twice. What cannot be
 * read is forgotten, since it is worth one line.
 *
 * @param directory in which the server keeps what survives it.
 */
export async function takeReceived(directory: string): Promise<ReceivedPackage[]> {
  const path = pathIn(directory);
  try {
    const { size, isFile } = await Deno.stat(path);
    // Reading a pipe would wait for a program at its other end.
    const text = !isFile || size > MAX_SIZE ? "[]" : await Deno.readTextFile(path);
    await Deno.remove(path);
    const data: unknown = JSON.parse(text);
    return Array.isArray(data) ? data.filter(isReceived) : [];
  } catch {
    return [];
  }
}

/** Leaves it for the next server. */
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
    // Without it one line is not printed.
  }
}

function pathIn(directory: string): string {
  return join(directory, "received.json");
}

function isReceived(data: unknown): data is ReceivedPackage {
  return typeof field(data, "file") === "string" && isCount(field(data, "lan")) &&
    isCount(field(data, "total"));
}
