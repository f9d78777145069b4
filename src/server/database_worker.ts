/**
 * The entry point of the worker that reads sync databases. It may read only their directory
 * (`confinement.ts`). The main thread starts it for each reading and ends it afterwards, so that the
 * memory for unpacking is freed.
 */

import { Failure, messageOf } from "../failure.ts";
import type { PackageTable } from "../pacman/package_table.ts";
import { MAX_DATABASE_SIZE, parseSyncDatabase } from "../pacman/sync_database.ts";

/** From the main thread: the paths of the databases to read. */
export type ToDatabaseWorker = readonly string[];

/** To the main thread. */
export type FromDatabaseWorker =
  /** A database was read; `table` is the buffer of a `PackageTable`. */
  | { readonly type: "table"; readonly path: string; readonly table: ArrayBuffer }
  /** A database could not be read, for this reason. */
  | { readonly type: "unreadable"; readonly path: string; readonly reason: string }
  /** The worker has tried all databases. */
  | { readonly type: "done" };

/** The worker's end of the message channel to the main thread. */
declare const self: {
  postMessage(message: FromDatabaseWorker, transferred?: readonly ArrayBuffer[]): void;
  onmessage: (event: MessageEvent<ToDatabaseWorker>) => void;
};

self.onmessage = async ({ data: paths }) => {
  // One after the other, because reading in parallel would be no faster and take more memory.
  for (const path of paths) {
    try {
      const { buffer: table } = await readDatabase(path);
      self.postMessage({ type: "table", path, table }, [table]);
    } catch (error) {
      self.postMessage({ type: "unreadable", path, reason: messageOf(error) });
    }
  }
  self.postMessage({ type: "done" });
};

/** @throws when the file cannot be read as a database. The error's message says why. */
async function readDatabase(path: string): Promise<PackageTable> {
  const { isFile, size } = await Deno.stat(path);
  // A pipe would make the reader wait for ever.
  if (!isFile) throw new Failure("it is not a regular file");
  if (size > MAX_DATABASE_SIZE) {
    throw new Failure(`it has ${size} bytes, and the limit is ${MAX_DATABASE_SIZE}`);
  }
  using file = await Deno.open(path);
  return await parseSyncDatabase(file.readable);
}
