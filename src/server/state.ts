/** The state that a worker passes on to the next one. Plain data. */

import type { DigestState } from "../auth/digest.ts";
import type { ReceivedPackage } from "../pacserve/received_packages.ts";
import type { SourceMemoryState } from "../pacserve/relay/source_memory.ts";
import type { PeersState } from "../peers/peers.ts";
import type { CountersState } from "../status/counters.ts";

/** Known peers, used nonces, sources of wrong copies, and received packages. */
export interface ServerState {
  readonly peers: PeersState | null;
  readonly digest: DigestState | null;
  readonly sources: SourceMemoryState;
  /** Packages that pacman received, and that no transaction has asked about yet. */
  readonly received: readonly ReceivedPackage[];
}

/** The counters of the time before a worker was started. */
export interface StatusState {
  readonly counters: CountersState;
  /** True when the counters survive the end of the server. */
  readonly isKept: boolean;
  /** Milliseconds for which the server has been running. */
  readonly uptime: number;
}

/** The state of a server that starts for the first time. */
export function emptyState(): ServerState {
  return { peers: null, digest: null, sources: { copies: [] }, received: [] };
}
