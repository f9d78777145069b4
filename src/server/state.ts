/** The state that a worker passes on to the next one. Plain data. */

import type { DigestState } from "../auth/digest.ts";
import type { ReceivedPackage } from "../pacserve/received_packages.ts";
import type { SourceMemoryState } from "../pacserve/relay/source_memory.ts";
import type { PeersState } from "../peers/peers.ts";
import type { CountersState } from "../status/counters.ts";

/** Peers that are known, nonces that were used, whose copies were wrong, and what was received. */
export interface ServerState {
  readonly peers: PeersState | null;
  readonly digest: DigestState | null;
  readonly sources: SourceMemoryState;
  /** What pacman received, and no transaction has asked for. */
  readonly received: readonly ReceivedPackage[];
}

/** What a worker is told of the time before it. */
export interface StatusState {
  readonly counters: CountersState;
  /** True where the counters survive the end of the server. */
  readonly isKept: boolean;
  /** Milliseconds for which the server has been running. */
  readonly uptime: number;
}

/** The state of a server that starts for the first time. */
export function emptyState(): ServerState {
  return { peers: null, digest: null, sources: { copies: [] }, received: [] };
}
