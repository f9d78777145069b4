/** The configuration of the search in cache, peers and mirrors. Plain data, for the worker. */

import type { PacmanConfiguration } from "../pacman/configuration.ts";
import type { ProxyVariables } from "../pacman/proxy_environment.ts";

/** The directory for the files that are being relayed. */
export interface SpoolConfiguration {
  /** Absolute path of a writable directory. */
  readonly directory: string;
  /** Maximum size of all spools together, in bytes. */
  readonly size: number;
}

/** The configuration of the answers to pacman. */
export interface PacserveConfiguration {
  readonly pacman: PacmanConfiguration;
  /** True when all files, also databases, may come from peers (`--trust-pacserve-peers`). */
  readonly trustPeers: boolean;
  /** TCP port of this server, so that a `Server` line with its address is not used as a mirror. */
  readonly port: number;
  /** Names of this host (without and with its domain), for the same purpose. */
  readonly hostNames: readonly string[];
  /** True when pacman on this host is redirected like other clients (`--redirect`). */
  readonly redirect: boolean;
  /** Null when no files are kept on disk. */
  readonly spool: SpoolConfiguration | null;
  /** PEM certificates of the authorities that certify peers with TLS. */
  readonly authorities: readonly string[];
  /** Null when mirrors are reached without a proxy. */
  readonly proxies: ProxyVariables | null;
}
