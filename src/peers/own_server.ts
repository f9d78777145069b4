/** What the rest of the house gives the peers' room: the server that it belongs to. */

import type { Admission } from "../http/admission.ts";
import type { Network } from "../http/network.ts";
import type { Listing } from "./protocol.ts";

/** What this server shares, as peers ask for it. Another configuration shares something else. */
export interface OwnFiles {
  /** Whether there is a file at this place in the tree. */
  has(segments: readonly string[]): boolean;
  /** A directory; null when there is none. */
  listing(segments: readonly string[]): Promise<Listing | null>;
  /** What the index is made from. */
  packageNames(): Promise<PackageNames>;
}

/** The names in `pkg`, without directories. */
export interface PackageNames {
  readonly names: readonly string[];
  /** True while a file is being written: it is not named before it is whole. */
  readonly isGrowing: boolean;
}

/** What this server is with one configuration. */
export interface OwnServer {
  readonly files: OwnFiles;
  /** Whether it relays what this host asks for: then it is a tracker, too. */
  readonly relays: boolean;
  readonly admission: Pick<Admission, "allowsPeer">;
}

/** The networks of this host. */
export type OwnNetwork = Pick<Network, "networkOf" | "networks" | "isOwn">;
