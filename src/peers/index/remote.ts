/** The indexes of the peers: which of them has a file, without asking. */

import { Backoff } from "../../backoff.ts";
import { headerOf } from "../client.ts";
import type { Questions } from "../questions.ts";
import type { Peer, Registry } from "../registry.ts";
import { applied, decodeIndex, hashOf, includes, INDEX_TARGET, MAX_INDEX } from "./format.ts";

/**
 * Milliseconds from word of a new generation to the question for it, and between two questions. The
 * peer spoke of it before it was built, and it takes the more time for that the more changes there are:
 * so the pause is twice as long each time, while there is more and more to ask for.
 */
const PAUSE = { first: 500, max: 4_000 };

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

/** Indexes that are fetched at the same time: each may take {@link MAX_INDEX} bytes. */
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
  readonly backoff: Backoff;
  /** The pause after the question that is under way, in milliseconds. */
  pause: number;
  /** When there was news of it. */
  newsAt: number;
  timer: ReturnType<typeof setTimeout> | null;
}

/** Keeps the indexes of the peers that have one. */
export class RemoteIndexes {
  readonly #questions: Pick<Questions, "get">;
  readonly #registry: Registry;
  readonly #now: () => number;
  readonly #indexes = new Map<Peer, PeerIndex>();
  /** When a peer may be asked again, even if it claims to be another server meanwhile. */
  readonly #notBefore = new WeakMap<Peer, number>();
  /** Peers whose turn to be asked has not come. */
  readonly #waiting = new Set<Peer>();
  #fetches = 0;
  #stopped = false;

  /** @param now milliseconds on a clock that only goes forward. */
  constructor(
    questions: Pick<Questions, "get">,
    registry: Registry,
    now: () => number = () => performance.now(),
  ) {
    this.#questions = questions;
    this.#registry = registry;
    this.#now = now;
    registry.on("changed", (peer) => this.#changed(peer));
  }

  /** Asks for nothing any more. */
  stop(): void {
    this.#stopped = true;
    for (const { timer } of this.#indexes.values()) if (timer !== null) clearTimeout(timer);
    this.#indexes.clear();
    this.#waiting.clear();
  }

  /** A peer that is gone, or has no index, makes room for the names of others. */
  #changed(peer: Peer): void {
    const { instance, generation } = peer;
    if (!this.#registry.has(peer) || instance === null || !generation) {
      this.#forget(peer);
      return;
    }
    const known = this.#indexes.get(peer);
    if (known === undefined || known.instance !== instance) {
      this.#forget(peer);
      const index = emptyIndex(instance, generation, this.#notBefore.get(peer) ?? -Infinity);
      this.#indexes.set(peer, index);
    } else if (generation > known.told) {
      this.#news(known, generation);
    }
    this.#renew(peer);
  }

  #forget(peer: Peer): void {
    const index = this.#indexes.get(peer);
    if (index?.timer) clearTimeout(index.timer);
    this.#indexes.delete(peer);
  }

  /** The peer is there; if nothing was heard of its index for a while, it is asked for again. */
  refresh(peer: Peer): void {
    const index = this.#indexes.get(peer);
    const now = this.#now();
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
    const now = this.#now();
    index.told = generation;
    if (now - index.newsAt > QUIET) index.backoff.reset();
    index.pause = index.backoff.next();
    index.newsAt = now;
    index.pausedUntil = Math.max(index.pausedUntil, now + index.pause);
  }

  /** Fetches what is new, now or when the pause is over. */
  #renew(peer: Peer): void {
    const index = this.#indexes.get(peer);
    if (index === undefined || this.#stopped) return;
    if (index.generation >= index.told || index.fetching || index.timer !== null) return;
    const wait = index.pausedUntil - this.#now();
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
    index.asked = this.#now();
    this.#notBefore.set(peer, index.asked + PAUSE.first);
    // A peer that did not answer is in backoff by now, and speaks of its index when it is back.
    this.#ask(peer, index).catch(() => null).then((length) => {
      index.fetching = false;
      this.#fetches--;
      const loading = (length ?? 0) / MAX_RATE * 1000;
      this.#notBefore.set(peer, this.#now() + Math.max(PAUSE.first, loading));
      if (length !== null && index.generation < index.told) index.pause = index.backoff.next();
      const pause = length === null ? PAUSE_AFTER_FAILURE : Math.max(index.pause, loading);
      index.pausedUntil = Math.max(index.pausedUntil, this.#now() + pause);
      if (length !== null || peer.state === "alive") this.#renew(peer);
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
    const url = peer.url.slice(0, -1) + INDEX_TARGET +
      (index.generation > 0 ? `&since=${encodeURIComponent(have)}` : "");
    const headers: Record<string, string> = {};
    if (index.generation > 0) headers["If-None-Match"] = `"${have}"`;
    const answer = await this.#questions.get(peer, url, headers, MAX_INDEX);
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
      other.pausedUntil = this.#now() + PAUSE_WITHOUT_ROOM;
    }
    if (sum <= MAX_NAMES_IN_ALL) return true;
    index.pausedUntil = this.#now() + PAUSE_WITHOUT_ROOM;
    return false;
  }
}

function emptyIndex(instance: string, told: number, pausedUntil: number): PeerIndex {
  const backoff = new Backoff(PAUSE);
  return {
    instance,
    generation: 0,
    told,
    watched: false,
    hashes: new Uint32Array(),
    dropped: new Set(),
    fetching: false,
    asked: -Infinity,
    pausedUntil,
    backoff,
    pause: backoff.next(),
    newsAt: -Infinity,
    timer: null,
  };
}

/** The generation in an entity tag of an index; null if it is not of this instance. */
function generationOf(etag: string | undefined, instance: string): number | null {
  const match = /^"(.+)\.(\d{1,9})"$/.exec(etag ?? "");
  return match !== null && match[1] === instance ? Number(match[2]) : null;
}
