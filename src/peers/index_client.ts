/** The indexes of the peers: which of them has a file, without asking. */

import { headerOf, type PeerAnswer } from "./client.ts";
import { INDEX_TARGET } from "./published_index.ts";
import { applied, decodeIndex, hashOf, includes, LONGEST_INDEX } from "./index_format.ts";
import type { Peer } from "./registry.ts";

/**
 * Milliseconds from word of a new generation to the question for it, and between two questions. The
 * peer spoke of it before it was built, and it takes the more time for that the more changes there are:
 * so the pause is twice as long each time, while there is more and more to ask for.
 */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 4_000;

/** After so many milliseconds without news the pause is the first one again. */
const QUIET = 10_000;

/** Milliseconds of the pause after a question that failed. */
const PAUSE_AFTER_FAILURE = 10_000;

/** Milliseconds of the pause after there was no room for an index. */
const PAUSE_WITHOUT_ROOM = 600_000;

/** An index that nothing was heard of for so long is asked for again, in milliseconds. */
const REFRESH = 60_000;

/** Most names that are kept of all peers together: 16 MB. The largest indexes make room for others. */
const MAX_NAMES_IN_ALL = 4_000_000;

/** Indexes that are fetched at the same time: each may take {@link LONGEST_INDEX} bytes. */
const MAX_FETCHES = 8;

/** A peer's next index is not asked for before its last one came in at this rate, in bytes a second. */
const MAX_RATE = 200_000;

/** Whether a peer has a file, as far as its index tells. */
export type Verdict = "yes" | "no" | "unknown";

interface PeerIndex {
  instance: string;
  /** The generation that is here; 0 for none. */
  generation: number;
  /** The newest generation that the peer spoke of. */
  told: number;
  watched: boolean;
  hashes: Uint32Array;
  /** Of the hashes, those that the peer did not have after all, until its next generation. */
  readonly dropped: Set<number>;
  fetching: boolean;
  /** When it was last asked for. */
  asked: number;
  /** It is not asked for before this. */
  pausedUntil: number;
  /** The next pause, in milliseconds. */
  pause: number;
  /** When there was news of it. */
  newsAt: number;
  timer: ReturnType<typeof setTimeout> | null;
}

/** What the indexes need. */
export interface PeerIndexesOptions {
  /** Gets something from a peer; rejects when there is no answer. */
  readonly get: (
    peer: Peer,
    url: string,
    headers: Readonly<Record<string, string>>,
    maximumBody: number,
  ) => Promise<PeerAnswer>;
  /** Milliseconds on a clock that only goes forward. */
  readonly now: () => number;
}

/** Keeps the indexes of the peers that have one. */
export class PeerIndexes {
  readonly #options: PeerIndexesOptions;
  readonly #indexes = new Map<Peer, PeerIndex>();
  /** Peers whose turn to be asked has not come. */
  readonly #waiting = new Set<Peer>();
  #fetches = 0;
  #stopped = false;

  constructor(options: PeerIndexesOptions) {
    this.#options = options;
  }

  /** Asks for nothing any more. */
  stop(): void {
    this.#stopped = true;
    for (const { timer } of this.#indexes.values()) if (timer !== null) clearTimeout(timer);
    this.#indexes.clear();
    this.#waiting.clear();
  }

  /** The peer spoke of the generation of its index; null: it has none. */
  told(peer: Peer, generation: number | null): void {
    if (generation === null || generation === 0 || peer.instance === null) {
      this.forget(peer);
      return;
    }
    const known = this.#indexes.get(peer);
    if (known === undefined || known.instance !== peer.instance) {
      this.forget(peer);
      this.#indexes.set(peer, emptyIndex(peer.instance, generation));
    } else if (generation > known.told) {
      this.#news(known, generation);
    }
    this.#renew(peer);
  }

  /** The peer has no index, or is no peer any more: its names make room for those of others. */
  forget(peer: Peer): void {
    const index = this.#indexes.get(peer);
    if (index?.timer) clearTimeout(index.timer);
    this.#indexes.delete(peer);
  }

  /** The peer is there; if nothing was heard of its index for a while, it is asked for again. */
  refresh(peer: Peer): void {
    const index = this.#indexes.get(peer);
    const now = this.#options.now();
    if (index === undefined || now - index.asked < REFRESH || now < index.pausedUntil) return;
    this.#fetch(peer, index);
  }

  /** Whether the peer has a file of this name in `pkg`. */
  verdict(peer: Peer, name: string): Verdict {
    const index = this.#indexes.get(peer);
    if (index === undefined || index.generation === 0 || index.instance !== peer.instance) {
      return "unknown";
    }
    const hash = hashOf(name);
    if (includes(index.hashes, hash) && !index.dropped.has(hash)) return "yes";
    return index.watched && index.generation >= index.told ? "no" : "unknown";
  }

  /** The peer did not have this file after all. It may again, when its index changes. */
  drop(peer: Peer, name: string): void {
    this.#indexes.get(peer)?.dropped.add(hashOf(name));
  }

  #news(index: PeerIndex, generation: number): void {
    const now = this.#options.now();
    index.told = generation;
    index.pause = now - index.newsAt > QUIET ? FIRST_PAUSE : longer(index.pause);
    index.newsAt = now;
    index.pausedUntil = Math.max(index.pausedUntil, now + index.pause);
  }

  /** Fetches what is new, now or when the pause is over. */
  #renew(peer: Peer): void {
    const index = this.#indexes.get(peer);
    if (index === undefined || this.#stopped) return;
    if (index.generation >= index.told || index.fetching || index.timer !== null) return;
    const wait = index.pausedUntil - this.#options.now();
    if (wait <= 0) {
      this.#fetch(peer, index);
      return;
    }
    index.timer = setTimeout(() => {
      index.timer = null;
      if (this.#indexes.get(peer) === index) this.#renew(peer);
    }, wait);
  }

  #fetch(peer: Peer, index: PeerIndex): void {
    if (index.fetching) return;
    if (this.#fetches >= MAX_FETCHES) {
      this.#waiting.add(peer);
      return;
    }
    index.fetching = true;
    this.#fetches++;
    index.asked = this.#options.now();
    // A peer that failed is set aside by now. When it answers again, it speaks of its index again.
    this.#ask(peer, index).catch(() => null).then((length) => {
      index.fetching = false;
      this.#fetches--;
      if (length !== null && index.generation < index.told) index.pause = longer(index.pause);
      const pause = length === null
        ? PAUSE_AFTER_FAILURE
        : Math.max(index.pause, length / MAX_RATE * 1000);
      index.pausedUntil = Math.max(index.pausedUntil, this.#options.now() + pause);
      if (length !== null) this.#renew(peer);
      this.#fetchNext();
    });
  }

  #fetchNext(): void {
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    const index = this.#indexes.get(next);
    if (index === undefined || index.fetching) this.#fetchNext();
    else this.#fetch(next, index);
  }

  /** Returns the length of the answer in bytes; null when it is no index. */
  async #ask(peer: Peer, index: PeerIndex): Promise<number | null> {
    const have = `${index.instance}.${index.generation}`;
    const url = peer.base.slice(0, -1) + INDEX_TARGET +
      (index.generation > 0 ? `&since=${encodeURIComponent(have)}` : "");
    const headers: Record<string, string> = {};
    if (index.generation > 0) headers["If-None-Match"] = `"${have}"`;
    const answer = await this.#options.get(peer, url, headers, LONGEST_INDEX);
    if (answer.status === 304) return 0;
    const generation = generationOf(headerOf(answer, "ETag"), index.instance);
    const message = answer.status === 200 ? decodeIndex(answer.body) : null;
    if (message === null || generation === null) return null;
    if (message.changes && index.generation === 0) return null;
    const hashes = message.changes ? applied(index.hashes, message) : message.added;
    if (!this.#makeRoom(index, hashes.length)) return null;
    index.hashes = hashes;
    index.dropped.clear();
    index.watched = message.watched;
    index.generation = generation;
    return answer.body.length;
  }

  /**
   * Makes room for the names of an index, by giving up larger ones: peers with huge indexes cannot keep
   * others out. Returns false when it is itself the largest.
   */
  #makeRoom(index: PeerIndex, names: number): boolean {
    const others = [...this.#indexes.values()].filter((other) => other !== index)
      .sort((one, other) => other.hashes.length - one.hashes.length);
    let sum = names + others.reduce((sum, { hashes }) => sum + hashes.length, 0);
    for (const other of others) {
      if (sum <= MAX_NAMES_IN_ALL || other.hashes.length <= names) break;
      sum -= other.hashes.length;
      // Its peer is asked for each file again.
      other.hashes = new Uint32Array();
      other.generation = 0;
      other.pausedUntil = this.#options.now() + PAUSE_WITHOUT_ROOM;
    }
    if (sum <= MAX_NAMES_IN_ALL) return true;
    index.pausedUntil = this.#options.now() + PAUSE_WITHOUT_ROOM;
    return false;
  }
}

function emptyIndex(instance: string, told: number): PeerIndex {
  return {
    instance,
    generation: 0,
    told,
    watched: false,
    hashes: new Uint32Array(),
    dropped: new Set(),
    fetching: false,
    asked: -Infinity,
    pausedUntil: -Infinity,
    pause: FIRST_PAUSE,
    newsAt: -Infinity,
    timer: null,
  };
}

function longer(pause: number): number {
  return Math.min(2 * pause, LONGEST_PAUSE);
}

/** The generation in an entity tag of ours, if it is of this instance. */
function generationOf(etag: string | undefined, instance: string): number | null {
  const match = /^"(.+)\.(\d{1,9})"$/.exec(etag ?? "");
  return match !== null && match[1] === instance ? Number(match[2]) : null;
}
