/**
 * Asks hosts that run pacredir instead of pacserve. They have no index and understand no messages, so each
 * host needs a HEAD request for each file, even for files that it does not have.
 */

import type { Offer, Questions } from "./questions.ts";
import type { Peer } from "./registry.ts";

/** The greatest number of these hosts that one search asks. */
const MAX_PACREDIR_HOSTS = 8;

/** Number of consecutive files that a host did not have, after which others are asked first. */
const MISSES = 3;

/** Chooses hosts at random and counts the files that they did not have. */
export class PacredirHosts {
  readonly #questions: Pick<Questions, "offers">;
  /** Number of consecutive files that each host did not have. */
  readonly #misses = new WeakMap<Peer, number>();

  constructor(questions: Pick<Questions, "offers">) {
    this.#questions = questions;
  }

  /**
   * Returns the hosts to ask for a file. They are chosen at random, but those that lacked recent files
   * come last.
   */
  chosen(hosts: readonly Peer[]): Peer[] {
    return hosts.map((host) => {
      const isLast = (this.#misses.get(host) ?? 0) >= MISSES;
      return { host, rank: Math.random() + (isLast ? 1 : 0) };
    }).sort((one, other) => one.rank - other.rank)
      .slice(0, MAX_PACREDIR_HOSTS).map(({ host }) => host);
  }

  /** Asks a host if it has the file at this URL. Rejects with a `PeerError` when there is no valid answer. */
  async offers(host: Peer, url: string): Promise<Offer> {
    const offer = await this.#questions.offers(host, url);
    this.#misses.set(host, offer.has === "yes" ? 0 : (this.#misses.get(host) ?? 0) + 1);
    return offer;
  }
}
