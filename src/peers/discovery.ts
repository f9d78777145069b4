/**
 * The interface of the means of discovery, such as multicast. Each is in its own file and implements
 * {@link Discovery}; `peers.ts` starts all of them.
 */

import type { PeerUrl } from "./peer_url.ts";

/**
 * The protocol of a peer. `pacserve`: it understands messages, and has an index unless it is an original
 * of 2013. `pacredir`: it understands only HEAD and GET of packages.
 */
export type PeerKind = "pacserve" | "pacredir";

/** The means of discovery by which a peer was found. */
export type Means = "multicast" | "multicast DNS";

/** Receives the events of discovery. */
export interface DiscoveryListener {
  /** A server was found that is new, or that was restarted and may not know this server. */
  found(peer: PeerUrl, kind: PeerKind, means?: Means): void;
  /** A server that was found is still there. */
  seen(peer: PeerUrl, kind: PeerKind, means?: Means): void;
  /** A server seems to be gone. This may be forged, because any host can send such a message. */
  lost(peer: PeerUrl): void;
}

/**
 * The result of an announcement that this server tried to receive itself. If it did, others in that
 * network can, too.
 */
export interface Echo {
  /** The name for users: `multicast` or `multicast DNS`. */
  readonly means: string;
  /** The address or interface from which it was sent, or the port that cannot be used. */
  readonly place: string;
  readonly heard: boolean;
}

/** Finds peers and, if the means supports that, announces this server to them. */
export interface Discovery {
  /** Starts discovery. Problems are logged, never thrown. */
  start(listener: DiscoveryListener): void;

  /**
   * Announces this server now, and checks where the announcement comes back. It skips the loopback
   * interface, because there are no other hosts on it.
   *
   * @param patience the longest time to wait, in milliseconds.
   */
  echoes(patience: number): Promise<Echo[]>;

  /**
   * Stops discovery and closes all sockets and timers. If the means says goodbye to others, it resolves
   * after that.
   */
  stop(): void | Promise<void>;
}
