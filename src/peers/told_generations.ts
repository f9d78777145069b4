/** Who was told of this server's index: word of a change reaches everybody who can be reached. */

import type { Peer } from "./registry.ts";

interface Told {
  /** Who it was that was told; null until there is an answer. */
  instance: string | null;
  readonly generation: number;
}

/** Remembers the generation that each peer was told of last. */
export class ToldGenerations {
  readonly #told = new WeakMap<Peer, Told>();

  /** The peer is about to be told of this generation; 0: that there is none yet. */
  telling(peer: Peer, generation: number): void {
    this.#told.set(peer, { instance: null, generation });
  }

  /** It was not told after all. */
  lost(peer: Peer): void {
    this.#told.delete(peer);
  }

  /**
   * Whether a peer that has just answered does not know of this generation: the index changed while
   * word was on its way or could not come, or the peer was started anew. Servers of the original need
   * not know.
   */
  isBehind(peer: Peer, generation: number): boolean {
    if (peer.instance === null || generation === 0) return false;
    const told = this.#told.get(peer);
    if (told === undefined) return true;
    told.instance ??= peer.instance;
    return told.instance !== peer.instance || told.generation < generation;
  }
}
