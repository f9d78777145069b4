/** The network worker's side of the sync databases: it asks the main thread, which has them read. */

import type { Databases, ReadDatabase } from "../pacserve/expected_files.ts";
import type { FromWorker } from "./messages.ts";

/** Asks through the worker's message channel. One question at a time, as `ExpectedFiles` asks. */
export class RemoteDatabases implements Databases {
  readonly #post: (message: FromWorker) => void;
  #answer = Promise.withResolvers<readonly ReadDatabase[]>();

  /** @param post sends a message to the main thread. */
  constructor(post: (message: FromWorker) => void) {
    this.#post = post;
  }

  readChanged(known: ReadonlyMap<string, string>): Promise<readonly ReadDatabase[]> {
    this.#answer = Promise.withResolvers();
    this.#post({ type: "read databases", known });
    return this.#answer.promise;
  }

  /** The main thread has answered. */
  answered(databases: readonly ReadDatabase[]): void {
    this.#answer.resolve(databases);
  }
}
