/** What the choice between cache, peer and mirror is told. Plain data, for the worker. */

import type { PacmanConfiguration } from "../pacman/configuration.ts";
import type { ProxyVariables } from "../pacman/proxy_environment.ts";

/** Where files are kept that are being relayed. */
export interface SpoolConfiguration {
  /** Absolute path of a directory that may be written to. */
  readonly directory: string;
  /** Bytes that all spools together may take. */
  readonly size: number;
}

/** Everything about answering pacman. */
export interface PacserveConfiguration {
  readonly pacman: PacmanConfiguration;
  /** Databases and all else may come from peers (`--trust-pacserve-peers`). */
  readonly trustPeers: boolean;
  /** TCP port of ours, so that a `Server` line that names us is not taken for a mirror. */
  readonly port: number;
  /** Names of this host (bare, with its domain…), for the same purpose. */
  readonly hostNames: readonly string[];
  /** This host's pacman is redirected like all others, instead of getting files from here. */
  readonly redirect: boolean;
  /** Null: nothing is kept on disk. */
  readonly spool: SpoolConfiguration | null;
  /** PEM certificates of the authorities that those of peers with TLS are verified against. */
  readonly authorities: readonly string[];
  /** Null: mirrors are reached without a proxy. */
  readonly proxies: ProxyVariables | null;
}
