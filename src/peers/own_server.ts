/** The parts of this server that the code about peers uses. */

import type { Admission } from "../http/admission.ts";
import type { Network } from "../http/network.ts";
import type { Listing } from "./protocol.ts";

/**
 * The files that this server shares with peers. A new configuration brings a new object. It is an interface,
 * because its class (`server/own_files.ts`) needs rooms that stand above this one.
 */
export interface OwnFiles {
  /** Returns true when there is a file at this path in the tree. */
  has(segments: readonly string[]): boolean;
  /** Returns the listing of a directory; null when there is no such directory. */
  listing(segments: readonly string[]): Promise<Listing | null>;
  /** Returns the names for the index. */
  packageNames(): Promise<PackageNames>;
}

/** The names of the files in `pkg`. */
export interface PackageNames {
  readonly names: readonly string[];
  /** True while a file is being written. Its name is missing until it is complete. */
  readonly isGrowing: boolean;
}

/** The properties of this server that depend on its configuration. */
export interface OwnServer {
  readonly files: OwnFiles;
  /** True when it relays files to this host; then it is a tracker, too. */
  readonly relays: boolean;
  readonly admission: Pick<Admission, "allowsPeer">;
}

/** The networks and addresses of this host. */
export type OwnNetwork = Pick<Network, "networkOf" | "reaches" | "isOwn">;
