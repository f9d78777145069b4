/** The messages between the main thread and the network worker. */

import type { Databases, ReadDatabase } from "../pacserve/expected_files.ts";
import type { Flows } from "../status/traffic.ts";
import type { ServerConfiguration } from "./configuration.ts";
import type { ServerState, StatusState } from "./state.ts";

/** From the main thread to the worker. */
export type ToWorker =
  /** Listen and serve; the first message that a worker gets. */
  | {
    readonly type: "serve";
    readonly configuration: ServerConfiguration;
    readonly state: ServerState;
    readonly status: StatusState;
  }
  /** Use another configuration, which needs the same permissions and the same port. */
  | { readonly type: "configure"; readonly configuration: ServerConfiguration }
  /** The answer to `read databases`: the databases that changed. */
  | { readonly type: "databases"; readonly databases: readonly ReadDatabase[] }
  /** The amounts that another worker counted. */
  | { readonly type: "counted"; readonly flows: Flows }
  /** Stop accepting connections, finish what is in flight, and end. */
  | { readonly type: "stop"; readonly graceMilliseconds: number };

/** From the worker to the main thread. */
export type FromWorker =
  /** The worker's code is loaded, and it waits for `serve`. */
  | { readonly type: "loaded" }
  /** The worker accepts connections. */
  | { readonly type: "listening"; readonly port: number }
  /** The answer to `configure`: from now on, requests are answered by the new configuration. */
  | { readonly type: "configured" }
  /** The worker cannot listen. The message is for the user. */
  | { readonly type: "failed"; readonly message: string }
  /** Ask for the sync databases that differ from the versions in `known`. */
  | { readonly type: "read databases"; readonly known: ReadonlyMap<string, string> }
  /** After `stop`: the port is free; replies may still be in flight. */
  | { readonly type: "released" }
  /** After `stop`: no reply is in flight any more. */
  | { readonly type: "stopped" }
  /** The worker has ended because of an uncaught error. */
  | { readonly type: "died"; readonly reason: string }
  /** The amounts that were received and served since the last such message. */
  | { readonly type: "counted"; readonly flows: Flows }
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
