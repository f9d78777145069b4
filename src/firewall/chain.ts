/** What the firewalls have in common: chains that turn packets away, and can be told to let some in. */

import type { Opening } from "./openings.ts";

/** Which chain. Plain data: it is remembered until the ports are closed. */
export interface ChainName {
  /** The {@link Firewall} that has it. */
  readonly firewall: string;
  readonly [part: string]: string;
}

/** A chain of rules in which a packet may be turned away: it must be let in at each. */
export interface Chain {
  readonly name: ChainName;
  /** How it is called in messages, another text for each: `nftables chain inet filter input`. */
  readonly text: string;
  /** Our rules have a mark there, which tells them from rules of others. */
  readonly marked: boolean;
  /** False: packets of this opening never come by. */
  concerns(opening: Opening): boolean;
  /**
   * Those of the openings that are there now. None if the chain is gone.
   *
   * @throws {Failure} when the firewall cannot be asked.
   */
  present(openings: readonly Opening[]): Promise<readonly Opening[]>;
  /**
   * Adds openings that are not there. It may have added some of them when it throws.
   *
   * @throws {Failure} with the firewall's own words.
   */
  add(openings: readonly Opening[]): Promise<void>;
  /**
   * Removes openings that are there.
   *
   * @throws {Failure} with the firewall's own words.
   */
  remove(openings: readonly Opening[]): Promise<void>;
}

/** What a firewall finds on this machine. */
export interface Survey {
  /** Its chains that turn packets away. */
  readonly filtering: readonly Chain[];
  /** Chains of other firewalls ({@link Chain.text}) that are kept by this one: leave them to it. */
  readonly keeps: "all" | readonly string[];
}

/** A kind of firewall. */
export interface Firewall {
  /** The value of `PACSERVE_FIREWALL` that chooses it. */
  readonly name: string;
  /**
   * The chains in which ports have to be opened when the user has chosen this firewall.
   *
   * @throws {Failure} when it is not there, or cannot be asked.
   */
  chosen(): Promise<readonly Chain[]>;
  /**
   * Looks for chains that turn packets away. Finds none where it is not in use.
   *
   * @throws {Failure} when there may be some that cannot be seen.
   */
  survey(): Promise<Survey>;
  /** The chain of that name; null when this firewall can have none of that name. */
  chain(name: ChainName): Chain | null;
}
