/**
 * Means of finding peers, such as multicast. Each is a file of its own that implements
 * {@link Discovery}, and is begun by `peers.ts`, the registration of all of them.
 */

import type { PeerUrl } from "./peer_url.ts";

/**
 * What a peer understands. `pacserve`: messages, and an index if it is one of ours. `pacredir`: HEAD
 * and GET of packages, and nothing else.
 */
export type PeerKind = "pacserve" | "pacredir";

/** By which of them a peer was heard. */
export type Means = "multicast" | "multicast DNS";

/** What discovery tells of. */
export interface DiscoveryListener {
  /** A server is new, or there is reason to think that it does not know this one (it was started anew). */
  found(peer: PeerUrl, kind: PeerKind, means?: Means): void;
  /** A server that was found is still there. */
  seen(peer: PeerUrl, kind: PeerKind, means?: Means): void;
  /** A server seems to be there no more. Anybody can say so. */
  lost(peer: PeerUrl): void;
}

/** Whether an announcement of this server came back to it: others in that network can hear it, too. */
export interface Echo {
  /** As people call it: `multicast`, `multicast DNS`. */
  readonly means: string;
  /** The address or the interface that was announced from, or the port that cannot be used. */
  readonly place: string;
  readonly heard: boolean;
}

/** Looks for peers, and makes this server known to them where the means can do that. */
export interface Discovery {
  /** Begins. A problem is logged, never thrown. */
  start(listener: DiscoveryListener): void;

  /**
   * Announces this server now, and finds out where that comes back. Loopback is left out, since nobody
   * is behind it.
   *
   * @param patience milliseconds.
   */
  echoes(patience: number): Promise<Echo[]>;

  /** Ends it, with all sockets and timers; settles when others were told, where the means does that. */
  stop(): void | Promise<void>;
}
