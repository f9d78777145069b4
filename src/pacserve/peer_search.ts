/** Searches the peers for a file that pacman requests. */

import type { Log } from "../log.ts";
import type { Client, Finder, Found } from "../peers/finder.ts";
import { type PacmanAddress, placeOf } from "./address.ts";

/**
 * Milliseconds between the request to the peers and the one to the mirrors, which is not sent if a peer has
 * answered. On a quiet LAN it has, so that a package from a peer causes no request to a mirror.
 */
export const HEAD_START = 50;

/** Maximum number of peers with another file of the same name that are ignored in one search. */
const MAX_OTHERS = 8;

/** Finds copies with the expected length. */
export class PeerSearch {
  readonly #finder: Pick<Finder, "find">;
  readonly #log: Pick<Log, "warn">;

  constructor(finder: Pick<Finder, "find">, log: Pick<Log, "warn">) {
    this.#finder = finder;
    this.#log = log;
  }

  /**
   * Resolves with a peer that has just confirmed the file; null otherwise.
   *
   * @param sizes possible sizes of the file in bytes; empty when they are unknown.
   * @param mayAsk returns false for the URL of a peer that must not be asked; by default all may be.
   */
  async find(
    address: PacmanAddress,
    client: Client,
    sizes: readonly number[],
    mayAsk?: (peer: string) => boolean,
  ): Promise<Found | null> {
    const others = new Set<string>();
    // Without a filter, several clients can share one search.
    const isWanted = sizes.length === 0
      ? mayAsk
      : (peer: string): boolean => !others.has(peer) && (mayAsk?.(peer) ?? true);
    try {
      for (let tries = 0; tries < MAX_OTHERS; tries++) {
        const found = await this.#finder.find(placeOf(address), client, isWanted);
        if (found === null || found.size === null || sizes.length === 0) return found;
        if (sizes.includes(found.size)) return found;
        // The peer has another build of the package, which is not its fault.
        others.add(found.peer);
      }
    } catch (error) {
      // If the search fails, pacman still gets the file from a mirror.
      if (!client.signal.aborted) this.#log.warn(`the search among peers failed: ${error}`);
    }
    return null;
  }
}
