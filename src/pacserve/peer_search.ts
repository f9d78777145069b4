/** Searches among the peers for what pacman wants. */

import type { Log } from "../log.ts";
import type { Client, Finder, Found } from "../peers/finder.ts";
import { type PacmanAddress, placeOf } from "./address.ts";

/**
 * So much later (ms) than the peers the mirrors are asked, if the peers have not answered by then. On
 * a quiet LAN they have, and a package that comes from a peer costs the mirror nothing.
 */
export const HEAD_START = 50;

/** Peers with another file of the same name that are passed over in one search. */
const MAX_OTHERS = 8;

/** Finds copies of the right length. */
export class PeerSearch {
  readonly #finder: Pick<Finder, "find">;
  readonly #log: Pick<Log, "warn">;

  constructor(finder: Pick<Finder, "find">, log: Pick<Log, "warn">) {
    this.#finder = finder;
    this.#log = log;
  }

  /**
   * A peer that has just said that it has the file; null when there is none.
   *
   * @param sizes in bytes that its copy may have; empty where nobody knows.
   * @param mayAsk whether a peer, by its URL, comes into question; by default all do.
   */
  async find(
    address: PacmanAddress,
    client: Client,
    sizes: readonly number[],
    mayAsk?: (peer: string) => boolean,
  ): Promise<Found | null> {
    const others = new Set<string>();
    // Clients share a search for which any peer may be asked.
    const isWanted = sizes.length === 0
      ? mayAsk
      : (peer: string): boolean => !others.has(peer) && (mayAsk?.(peer) ?? true);
    try {
      for (let tries = 0; tries < MAX_OTHERS; tries++) {
        const found = await this.#finder.find(placeOf(address), client, isWanted);
        if (found === null || found.size === null || sizes.length === 0) return found;
        if (sizes.includes(found.size)) return found;
        // Another build, of another distribution perhaps: that is nobody's fault.
        others.add(found.peer);
      }
    } catch (error) {
      // A search that fails must not keep pacman from the mirrors.
      if (!client.signal.aborted) this.#log.warn(`the search among peers failed: ${error}`);
    }
    return null;
  }
}
