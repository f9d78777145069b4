/**
 * Means of finding peers, such as multicast. Each is a file of its own that implements
 * {@link Discovery}, and is begun by `peers.ts`, the registration of all of them.
 */

import type { PeerUrl } from "./peer_url.ts";

/** Looks for peers, and makes this server known to them where the means can do that. */
export interface Discovery {
  /**
   * Begins. A problem is logged, never thrown.
   *
   * @param found is given each server that is seen, again each time that it is seen.
   */
  start(found: (peer: PeerUrl) => void): void;

  /** Ends it, with all sockets and timers. */
  stop(): void;
}
