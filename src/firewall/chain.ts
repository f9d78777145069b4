/** The interfaces of all firewalls: chains that reject packets, and rules in them that accept some. */

import type { Opening } from "./openings.ts";

/** Identifies a chain. Plain data: it is stored until the ports are closed. */
export interface ChainName {
  /** The name of the {@link Firewall} that the chain belongs to. */
  readonly firewall: string;
  readonly [part: string]: string;
}

/** A chain of rules that can drop or reject packets. A packet arrives only if every such chain accepts it. */
export interface Chain {
  readonly name: ChainName;
  /** Its name in messages, unique among all chains: `nftables chain inet filter input`. */
  readonly text: string;
  /** True when rules can have a comment there, by which we recognise the rules that we added. */
  readonly marked: boolean;
  /** False when the packets of an opening never pass this chain. */
  concerns(opening: Opening): boolean;
  /**
   * Those of the openings that are in the chain now. Empty if the chain no longer exists.
   *
   * @throws {Failure} when the firewall cannot be queried.
   */
  present(openings: readonly Opening[]): Promise<readonly Opening[]>;
  /**
   * Adds openings that are not in the chain. When it throws, it may have added some of them.
   *
   * @throws {Failure} with the firewall's own words.
   */
  add(openings: readonly Opening[]): Promise<void>;
  /**
   * Removes openings that are in the chain.
   *
   * @throws {Failure} with the firewall's own words.
   */
  remove(openings: readonly Opening[]): Promise<void>;
}

/** The chains that a firewall has on this machine. */
export interface Survey {
  /** Its chains that can drop or reject packets. */
  readonly filtering: readonly Chain[];
  /** Chains of other firewalls ({@link Chain.text}) that this firewall manages: do not change them. */
  readonly keeps: "all" | readonly string[];
}

/** A kind of firewall. */
export interface Firewall {
  /** The value of `PACSERVE_FIREWALL` that selects it. */
  readonly name: string;
  /**
   * The chains in which ports must be opened when the user has chosen this firewall.
   *
   * @throws {Failure} when the firewall is not installed or running, or cannot be queried.
   */
  chosen(): Promise<readonly Chain[]>;
  /**
   * Finds the chains that can drop or reject packets. The list is empty if the firewall is not in use.
   *
   * @throws {Failure} when there may be such chains but they cannot be listed.
   */
  survey(): Promise<Survey>;
  /** The chain with this name; null when the name is not valid for this firewall. */
  chain(name: ChainName): Chain | null;
}
