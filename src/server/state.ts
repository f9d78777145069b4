/** What a worker that takes another one's place has to know. Plain data. */

import type { DigestState } from "../auth/digest.ts";
import type { PeersState } from "../peers/peers.ts";

/** Peers that are known, and nonces that were used. */
export interface ServerState {
  readonly peers: PeersState | null;
  readonly digest: DigestState | null;
}

/** The state of a server that starts for the first time. */
export function emptyState(): ServerState {
  return { peers: null, digest: null };
}
