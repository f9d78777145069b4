/** What the choice between cache, peer and mirror is told. Plain data, for the worker. */

import type { PacmanConfiguration } from "../pacman/configuration.ts";

/** Everything about answering pacman. */
export interface PacserveConfiguration {
  readonly pacman: PacmanConfiguration;
  /** Databases and all else may come from peers (`--trust-pacserve-peers`). */
  readonly trustPeers: boolean;
  /** TCP port of ours, so that a `Server` line that names us is not taken for a mirror. */
  readonly port: number;
  /** Names of this host (bare, with its domain…), for the same purpose. */
  readonly hostNames: readonly string[];
}
