/** What the main thread and the worker say to each other. */

import type { Databases, ReadDatabase } from "../pacserve/expected_files.ts";
import type { ServerConfiguration } from "./configuration.ts";
import type { ServerState } from "./state.ts";

/** From the main thread to the worker. */
export type ToWorker =
  /** Listen and serve; the first message that a worker gets. */
  | {
    readonly type: "serve";
    readonly configuration: ServerConfiguration;
    readonly state: ServerState;
  }
  /** Go on with another configuration, which needs no other permissions and no other port. */
  | { readonly type: "configure"; readonly configuration: ServerConfiguration }
  /** After `read databases`: those that changed. */
  | { readonly type: "databases"; readonly databases: readonly ReadDatabase[] }
  /** Stop accepting connections, finish what is in flight, and end. */
  | { readonly type: "stop"; readonly graceMilliseconds: number };

/** From the worker to the main thread. */
export type FromWorker =
  /** Its code is loaded: it waits for `serve`. */
  | { readonly type: "loaded" }
  /** It accepts connections. */
  | { readonly type: "listening"; readonly port: number }
  /** After `configure`: every request from now on is answered by the new configuration. */
  | { readonly type: "configured" }
  /** It cannot listen; the message is for the user. */
  | { readonly type: "failed"; readonly message: string }
  /** Have the sync databases read that changed. `known` has the versions that the worker has. */
  | { readonly type: "read databases"; readonly known: ReadonlyMap<string, string> }
  /** After `stop`: the port is free; replies in flight go on. */
  | { readonly type: "released" }
  /** After `stop`: nothing is in flight any more. */
  | { readonly type: "stopped" }
  /** An error that nobody caught: the worker has ended. */
  | { readonly type: "died"; readonly reason: string }
  /** The state that the next worker needs. */
  | { readonly type: "state"; readonly state: ServerState };

/**
 * The worker's side of `read databases` and `databases`. One question at a time, as `ExpectedFiles`
 * asks.
 */
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
