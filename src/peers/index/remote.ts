/** Stores the indexes of the peers, which show which peer has a file without asking. */

import { Backoff } from "../../backoff.ts";
import { headerOf } from "../client.ts";
import type { Questions } from "../questions.ts";
import type { Peer, Registry } from "../registry.ts";
import { applied, decodeIndex, hashOf, includes, INDEX_TARGET, MAX_INDEX } from "./format.ts";

/**
 * Milliseconds from the report of a new generation to the request for it, and between two requests. The
 * peer reports a generation before it is built, and building takes longer the more changes there are.
 * Therefore the pause doubles each time while changes continue.
 */
const PAUSE = { first: 500, max: 4_000 };

/** Milliseconds without a new generation after which the pause is the first one again. */
const QUIET = 10_000;

/** Milliseconds of the pause after a request that failed. */
const PAUSE_AFTER_FAILURE = 10_000;

/** Milliseconds of the pause after there was no room for an index. */
const PAUSE_WITHOUT_ROOM = 600_000;

/** Milliseconds without news of an index after which it is requested again. */
const REFRESH = 60_000;

/**
 * Greatest number of stored names of all peers together (16 MB). If there are more, the largest indexes
 * are dropped.
 */
const MAX_NAMES_IN_ALL = 4_000_000;

/** Greatest number of simultaneous requests for indexes. Each answer may have {@link MAX_INDEX} bytes. */
const MAX_FETCHES = 8;

/**
 * Greatest average rate in bytes per second of the indexes of one peer. A long index delays the next
 * request.
 */
const MAX_RATE = 200_000;

/** The answer of an index to the question if the peer has a file. */
type Verdict = "yes" | "no" | "unknown";

/** The index of one peer. */
class PeerIndex {
  /** The generation of the stored index; 0 for none. */
  generation = 0;
  watched = false;
  hashes: Uint32Array = new Uint32Array();
  /**
   * Those of the hashes for which the peer did not have the file. They are ignored until its next
   * generation.
   */
  readonly dropped = new Set<number>();
  fetching = false;
  /** The time when it was last requested. */
  asked = -Infinity;
  readonly backoff = new Backoff(PAUSE);
  /** The pause in milliseconds after the request that is under way. */
  pause: number = this.backoff.next();
  /** The time when the peer last reported a new generation. */
  newsAt = -Infinity;
  timer: ReturnType<typeof setTimeout> | null = null;

  /**
   * @param told the newest generation that the peer reported.
   * @param pausedUntil the time before which it is not requested again.
   */
  constructor(readonly instance: string, public told: number, public pausedUntil: number) {}
}

/** Fetches and stores the indexes of the peers that have one. */
export class RemoteIndexes {
  readonly #questions: Pick<Questions, "get">;
  readonly #registry: Registry;
  readonly #now: () => number;
  readonly #indexes = new Map<Peer, PeerIndex>();
  /** The time when a peer may be asked again. It also applies if the peer reports a new instance. */
  readonly #notBefore = new WeakMap<Peer, number>();
  /** Peers that wait until there are fewer than {@link MAX_FETCHES} requests. */
  readonly #waiting = new Set<Peer>();
  #fetches = 0;
  #stopped = false;

  /** @param now returns milliseconds on a clock that only goes forward. */
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

  /** Stops all requests. */
  stop(): void {
    this.#stopped = true;
    for (const { timer } of this.#indexes.values()) if (timer !== null) clearTimeout(timer);
    this.#indexes.clear();
    this.#waiting.clear();
  }

  /** Handles a change of a peer. The index of one that is gone or has no index is dropped. */
  #changed(peer: Peer): void {
    const { instance, generation } = peer;
    if (!this.#registry.has(peer) || instance === null || !generation) {
      this.#forget(peer);
      return;
    }
    const known = this.#indexes.get(peer);
    if (known === undefined || known.instance !== instance) {
      this.#forget(peer);
      const index = new PeerIndex(instance, generation, this.#notBefore.get(peer) ?? -Infinity);
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

  /** Must be called when the peer is there. Requests its index again if there was no news of it for a while. */
  refresh(peer: Peer): void {
    const index = this.#indexes.get(peer);
    const now = this.#now();
    if (index === undefined || now - index.asked < REFRESH || now < index.pausedUntil) return;
    this.#fetch(peer, index);
  }

  /** Returns if the peer has a file of this name in `pkg`, according to its index. */
  verdict(peer: Peer, name: string): Verdict {
    const index = this.#indexes.get(peer);
    if (index === undefined || index.generation === 0 || index.instance !== peer.instance) {
      return "unknown";
    }
    const hash = hashOf(name);
    if (includes(index.hashes, hash) && !index.dropped.has(hash)) return "yes";
    return index.watched && index.generation >= index.told ? "no" : "unknown";
  }

  /**
   * Must be called when the peer did not have this file although its index contains it. It applies until
   * the index changes.
   */
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

  /** Fetches the new generation, now or when the pause is over. */
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
    // A peer that did not answer is in backoff now, and reports its generation when it answers again.
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

  /** Returns the length of the answer in bytes; null when it is not an index. */
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
   * Makes room for the names of an index by dropping larger ones, so that peers with huge indexes cannot keep
   * others out. Returns false when this index is itself the largest.
   */
  #makeRoom(index: PeerIndex, names: number): boolean {
    const others = [...this.#indexes.values()].filter((other) => other !== index)
      .sort((one, other) => other.hashes.length - one.hashes.length);
    let sum = names + others.reduce((sum, { hashes }) => sum + hashes.length, 0);
    for (const other of others) {
      if (sum <= MAX_NAMES_IN_ALL || other.hashes.length <= names) break;
      sum -= other.hashes.length;
      // From now on its peer is asked for each file.
      other.hashes = new Uint32Array();
      other.generation = 0;
      other.pausedUntil = this.#now() + PAUSE_WITHOUT_ROOM;
    }
    if (sum <= MAX_NAMES_IN_ALL) return true;
    index.pausedUntil = this.#now() + PAUSE_WITHOUT_ROOM;
    return false;
  }
}

/** Returns the generation in an entity tag of an index; null if the tag has another instance. */
function generationOf(etag: string | undefined, instance: string): number | null {
  const match = /^"(.+)\.(\d{1,9})"$/.exec(etag ?? "");
  return match !== null && match[1] === instance ? Number(match[2]) : null;
}
