/** What the firewalls have in common: places that turn packets away, and can be told to let some in. */

import type { Opening } from "./openings.ts";

/** Which place. Plain data: it is remembered until the ports are closed. */
export type PlaceName =
  | { readonly firewall: "iptables"; readonly program: string }
  | {
    readonly firewall: "nftables";
    readonly family: string;
    readonly table: string;
    readonly chain: string;
  }
  | { readonly firewall: "firewalld"; readonly zone: string };

/** A place where a packet may be turned away: it must be let in at each. */
export interface Place {
  readonly name: PlaceName;
  /** Our rules bear a mark there, so that they cannot be taken for somebody else's. */
  readonly marked: boolean;
  /** False: packets of this opening never come by. */
  concerns(opening: Opening): boolean;
  /**
   * Those of the openings that are there now. None if the place is gone.
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

/** How a place is called in messages: `iptables`, `nftables chain inet filter input`. */
export function placeText(name: PlaceName): string {
  switch (name.firewall) {
    case "iptables":
      return name.program;
    case "nftables":
      return `nftables chain ${name.family} ${name.table} ${name.chain}`;
    case "firewalld":
      return `firewalld zone ${name.zone}`;
  }
}
