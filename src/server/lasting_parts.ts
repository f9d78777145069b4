/** The parts of a server that stay while one configuration follows the other. */

import type { Digest } from "../auth/digest.ts";
import type { PacserveMemory } from "../pacserve/choose.ts";
import type { ExpectedFiles } from "../pacserve/expected_files.ts";
import type { Peers } from "../peers/peers.ts";
import type { Log } from "./log.ts";
import type { Network } from "./network.ts";

/** What outlives a configuration. */
export interface LastingParts {
  readonly digest: Digest;
  readonly peers: Peers;
  readonly network: Network;
  /** What the choice between peers and mirrors remembers. */
  readonly memory: PacserveMemory;
  /** What sync databases say of packages. */
  readonly expected: ExpectedFiles;
  readonly log: Log;
}
