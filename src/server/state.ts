/** The state that a worker hands on to the next one. Plain data. */

import type { DigestState } from "../auth/digest.ts";
import type { RepeatsState } from "../pacserve/repeats.ts";
import type { PeersState } from "../peers/peers.ts";

/** Peers that are known, nonces that were used, and what pacman was sent to a peer for. */
export interface ServerState {
  readonly peers: PeersState | null;
  readonly digest: DigestState | null;
  readonly repeats: RepeatsState;
}

/** The state of a server that starts for the first time. */
export function emptyState(): ServerState {
  return { peers: null, digest: null, repeats: [] };
}
