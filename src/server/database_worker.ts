/**
 * The entry point of the worker that reads sync databases. It may read only their directory
 * (`confinement.ts`). The main thread starts it for each reading and ends it afterwards, so that the
 * memory for unpacking is freed.
 */

import { messageOf } from "../failure.ts";
import { readSyncDatabase } from "../pacman/sync_database.ts";

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
      const { buffer: table } = await readSyncDatabase(path);
      self.postMessage({ type: "table", path, table }, [table]);
    } catch (error) {
      self.postMessage({ type: "unreadable", path, reason: messageOf(error) });
    }
  }
  self.postMessage({ type: "done" });
};
