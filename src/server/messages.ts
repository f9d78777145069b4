/** The messages between the main thread and the network worker. */

import type { ReadDatabase } from "../pacserve/expected_files.ts";
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
  /** Use another configuration, which needs the same permissions and the same port. */
  | { readonly type: "configure"; readonly configuration: ServerConfiguration }
  /** The answer to `read databases`: the databases that changed. */
  | { readonly type: "databases"; readonly databases: readonly ReadDatabase[] }
  /** Stop accepting connections, finish the replies in flight, and end. */
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
  /** The state for the next worker. */
  | { readonly type: "state"; readonly state: ServerState };
