/** The state that a worker passes on to the next one. Plain data. */

import type { DigestState } from "../auth/digest.ts";
import type { SourceMemoryState } from "../pacserve/relay/source_memory.ts";
import type { PeersState } from "../peers/peers.ts";

/** The known peers, the used nonces, and the sources whose copies were wrong. */
export interface ServerState {
  readonly peers: PeersState | null;
  readonly digest: DigestState | null;
  readonly sources: SourceMemoryState;
}

/** The state of a server that starts for the first time. */
export function emptyState(): ServerState {
  return { peers: null, digest: null, sources: { copies: [] } };
}
