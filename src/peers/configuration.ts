/** What the peers' room is told. Plain data: it crosses from the main thread into the worker. */

import type { ListenConfiguration } from "../http/configuration.ts";

/** How servers announce themselves by UDP multicast. */
export interface MulticastConfiguration {
  /** IPv4 address of the group. */
  readonly group: string;
  readonly port: number;
  /** Local address that the receiving socket binds; `0.0.0.0` for all. */
  readonly address: string;
  /** Interfaces (by name or address) that join and send; empty for all that qualify. */
  readonly interfaces: readonly string[];
  /** Interfaces (by name, `*` as a wildcard) that never join or send. */
  readonly ignoredInterfaces: readonly string[];
  /** Seconds between announcements. */
  readonly interval: number;
}

/** How this server is announced by multicast DNS, and where. */
export interface MdnsConfiguration {
  /** Interfaces (by name or address) that take part; empty for all that qualify. */
  readonly interfaces: readonly string[];
  /** Interfaces (by name, `*` as a wildcard) that never take part. */
  readonly ignoredInterfaces: readonly string[];
  /** The first label of this host's name. */
  readonly hostName: string;
  /** Where the server listens: other addresses of this host are not announced. */
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
  /** Null: neither announce nor listen. */
  readonly multicast: MulticastConfiguration | null;
  /** Null: no multicast DNS. */
  readonly mdns: MdnsConfiguration | null;
  /** The longest that a search may take, in milliseconds. */
  readonly searchTimeout: number;
  /** Port on which a peer without one in its address is asked. */
  readonly defaultPort: number;
  /** Ask peers by IPv6 addresses too. */
  readonly ipv6: boolean;
  /**
   * PEM certificates of the authorities that those of peers with TLS are verified against: the same
   * that clients trust, or they could not follow a redirect. None: peers with TLS are not used.
   */
  readonly authorities?: readonly string[];
}
