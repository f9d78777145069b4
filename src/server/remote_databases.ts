/** The network worker's part in reading sync databases: asks the main thread to have them read. */

import type { Databases, ReadDatabase } from "../pacserve/expected_files.ts";
import type { FromWorker } from "./messages.ts";

/** Asks through the worker's message channel. Only one question may be open at a time. */
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

  /** Must be called with the answer of the main thread. */
  answered(databases: readonly ReadDatabase[]): void {
    this.#answer.resolve(databases);
  }
}
