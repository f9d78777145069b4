/**
 * The configuration of everything about peers. It is plain data, because the main thread sends it to the
 * worker.
 */

import type { ListenConfiguration } from "../http/configuration.ts";

/** How servers announce themselves by UDP multicast. */
export interface MulticastConfiguration {
  /** IPv4 address of the group. */
  readonly group: string;
  readonly port: number;
  /** Local address to which the receiving socket is bound; `0.0.0.0` for all. */
  readonly address: string;
  /** Interfaces (names or addresses) that receive and send; empty for all except ignored ones. */
  readonly interfaces: readonly string[];
  /** Names of interfaces, with `*` as a wildcard, that neither receive nor send. */
  readonly ignoredInterfaces: readonly string[];
  /** Seconds between announcements. */
  readonly interval: number;
}

/** How this server is announced by multicast DNS, and on which interfaces. */
export interface MdnsConfiguration {
  /** Interfaces (names or addresses) that take part; empty for all except ignored ones. */
  readonly interfaces: readonly string[];
  /** Names of interfaces, with `*` as a wildcard, that do not take part. */
  readonly ignoredInterfaces: readonly string[];
  /** The first label of this host's name. */
  readonly hostName: string;
  /** The addresses that the server listens on. Other addresses of this host are not announced. */
  readonly listen: Pick<ListenConfiguration, "address" | "ipv6">;
  /** The distribution: `ID` of os-release(5). */
  readonly id: string;
  /** The architecture of pacman's packages. */
  readonly arch: string;
  readonly version: string;
}

/** Everything about finding and asking peers. */
export interface PeersConfiguration {
  readonly program: "pacserve" | "quickserve";
  /** Addresses of static peers, each with a slash at its end: `http://10.0.0.2:15678/`. */
  readonly staticPeers: readonly string[];
  /** Null to neither announce this server by multicast nor listen for others. */
  readonly multicast: MulticastConfiguration | null;
  /** Null to use no multicast DNS. */
  readonly mdns: MdnsConfiguration | null;
  /** The time limit of a search in milliseconds. */
  readonly searchTimeout: number;
  /** Port of a peer whose URL has none. */
  readonly defaultPort: number;
  /** True to use IPv6 addresses of peers, too. */
  readonly ipv6: boolean;
  /**
   * PEM certificates of the authorities with which certificates of peers are verified. They must be the
   * same that clients trust, so that clients can follow a redirect. If missing, peers with TLS are not used.
   */
  readonly authorities?: readonly string[];
}
