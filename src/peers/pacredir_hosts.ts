/**
 * Asking hosts that run pacredir in place of pacserve. They have no index and understand no messages:
 * each file is asked for by HEAD, and what they do not have costs a question each.
 */

import type { Offer, Questions } from "./questions.ts";
import type { Peer } from "./registry.ts";

/** Most of them that one search asks. */
const MAX_PACREDIR_HOSTS = 8;

/** Files in a row that a host did not have, after which others are asked before it. */
const MISSES = 3;

/** Chooses among them, and remembers who had nothing. */
export class PacredirHosts {
  readonly #questions: Pick<Questions, "offers">;
  readonly #random: () => number;
  /** Files in a row that a host did not have. */
  readonly #misses = new WeakMap<Peer, number>();

  /** @param random at least 0, less than 1. */
  constructor(questions: Pick<Questions, "offers">, random: () => number = Math.random) {
    this.#questions = questions;
    this.#random = random;
  }

  /** Those that are asked for a file: drawn by chance, but last those that had nothing lately. */
  chosen(hosts: readonly Peer[]): Peer[] {
    return hosts.map((host) => {
      const isLast = (this.#misses.get(host) ?? 0) >= MISSES;
      return { host, rank: this.#random() + (isLast ? 1 : 0) };
    }).sort((one, other) => one.rank - other.rank)
      .slice(0, MAX_PACREDIR_HOSTS).map(({ host }) => host);
  }

  /** Whether a host has the file at this URL of its own. Rejects with a `PeerError` as questions do. */
  async offers(host: Peer, url: string): Promise<Offer> {
    const offer = await this.#questions.offers(host, url);
    this.#misses.set(host, offer.has === "yes" ? 0 : (this.#misses.get(host) ?? 0) + 1);
    return offer;
  }
}
