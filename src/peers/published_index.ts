/**
 * The index that this server publishes: the names in its `pkg` directory.
 *
 * It is built in the background and again when something changes. Each change makes a new generation;
 * who has an earlier one gets what changed since.
 */

import type { HttpRequest, Reply, ReplyHeaders } from "../http/exchange.ts";
import { contentReply, notModified } from "../http/replies.ts";
import { messageOf } from "../failure.ts";
import { DirectoryWatch } from "./directory_watch.ts";
import { applied, difference, encodeIndex, hashesOf, type IndexMessage } from "./index_format.ts";

/** Where the index is. */
export const INDEX_TARGET = "/?index=pkg";

/** Generations that changes are kept for. */
const HISTORY = 64;

/** Milliseconds from a change to the new generation: each time twice, while changes go on. */
const FIRST_DELAY = 250;
const LONGEST_DELAY = 4_000;

/**
 * Milliseconds to a new build after a file was touched: one that only root could read may be for all
 * now. A download touches its file all the time, so this takes longer, and no generation is promised.
 */
const TOUCHED_DELAY = 15_000;

/** After so many milliseconds without a change the delay is the first one again. */
const QUIET = 10_000;

/** Milliseconds between two builds where a directory is missing or cannot be watched. */
const BUILD_UNWATCHED = 60_000;

/** What the index is made from. */
export interface IndexSource {
  /** The names in `pkg`, without directories. */
  readonly names: () => Promise<readonly string[]>;
  /** Absolute paths of the directories whose changes change the names. */
  readonly directories: readonly string[];
}

interface Generation {
  readonly number: number;
  readonly added: Uint32Array;
  readonly removed: Uint32Array;
}

/** Builds, renews and serves the index. */
export class PublishedIndex {
  readonly #source: IndexSource;
  readonly #instance: string;
  readonly #changed: () => void;
  readonly #problem: (sentence: string) => void;
  readonly #watch: DirectoryWatch;
  #hashes: Uint32Array = new Uint32Array();
  #history: Generation[] = [];
  #generation = 0;
  /** The generation that peers were told of before it was built. */
  #promised = 0;
  #watched = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #due = 0;
  #delay = FIRST_DELAY;
  #lastBuild = -Infinity;
  #building = false;
  #again = false;
  #changedMeanwhile = false;
  #stopped = false;

  /**
   * @param instance identity of this running server.
   * @param changed called once for each new generation, as soon as there will be one.
   */
  constructor(
    source: IndexSource,
    instance: string,
    changed: () => void,
    problem: (sentence: string) => void,
  ) {
    this.#source = source;
    this.#instance = instance;
    this.#changed = changed;
    this.#problem = problem;
    this.#watch = new DirectoryWatch(
      source.directories,
      () => this.renew(),
      () => this.#schedule(TOUCHED_DELAY),
    );
  }

  /**
   * Number of the newest generation; 0 while there is none. While a change is known but the index is
   * not built again, it is one more than that of the index: who has an earlier one must not conclude
   * from it that a file is not here.
   */
  get generation(): number {
    return Math.max(this.#generation, this.#promised);
  }

  /** Begins to build it, without keeping anybody waiting. */
  start(): void {
    this.#schedule(0);
  }

  /** Stops watching. */
  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#watch.stop();
  }

  /** Something may have changed. */
  renew(): void {
    if (this.#building) this.#changedMeanwhile = true;
    else this.#promise();
    const quiet = performance.now() - this.#lastBuild > QUIET;
    this.#delay = quiet ? FIRST_DELAY : Math.min(this.#delay * 2, LONGEST_DELAY);
    this.#schedule(this.#delay);
  }

  /** Answers a GET of {@link INDEX_TARGET}: all of it, the changes, or 304. */
  answer(request: HttpRequest, headers: ReplyHeaders): Reply {
    if (this.#generation === 0) return { status: 404, headers, body: null };
    const etag = `"${this.#instance}.${this.#generation}"`;
    const all: ReplyHeaders = { ...headers, ETag: etag, "Cache-Control": "no-cache" };
    if (request.headers["if-none-match"] === etag) return notModified(all);
    const body = encodeIndex(this.#since(request.target) ?? this.#whole());
    return contentReply(200, "application/octet-stream", body, all);
  }

  #whole(): IndexMessage {
    const none = new Uint32Array();
    return { changes: false, watched: this.#watched, added: this.#hashes, removed: none };
  }

  /** The changes since the generation that a request names; null when they are not known. */
  #since(target: string): IndexMessage | null {
    const since = new URLSearchParams(target.slice(2)).get("since") ?? "";
    const point = since.lastIndexOf(".");
    const from = Number(since.slice(point + 1));
    if (since.slice(0, point) !== this.#instance || !(from >= 1 && from <= this.#generation)) {
      return null;
    }
    const later = this.#history.filter(({ number }) => number > from);
    if (later.length !== this.#generation - from) return null;
    let added: Uint32Array = new Uint32Array();
    let removed: Uint32Array = new Uint32Array();
    for (const step of later) {
      const put = { changes: true, watched: true, added: step.added, removed: step.removed };
      const taken = { changes: true, watched: true, added: step.removed, removed: step.added };
      added = applied(added, put);
      removed = applied(removed, taken);
    }
    return { changes: true, watched: this.#watched, added, removed };
  }

  #schedule(delay: number): void {
    if (this.#stopped) return;
    const due = performance.now() + delay;
    if (this.#timer !== null) {
      if (this.#due <= due) return;
      clearTimeout(this.#timer);
    }
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#build().catch((error) => {
        this.#problem(`cannot list the packages for the index: ${messageOf(error)}`);
      });
    }, delay);
  }

  async #build(): Promise<void> {
    if (this.#building) {
      this.#again = true;
      return;
    }
    this.#building = true;
    try {
      // Watching begins before the names are read, so that nothing happens in between unseen.
      const watched = this.#watch.start();
      this.#take(hashesOf(await this.#source.names()), watched === "yes");
      if (watched !== "yes") this.#schedule(BUILD_UNWATCHED);
    } finally {
      this.#building = false;
      this.#lastBuild = performance.now();
    }
    if (this.#changedMeanwhile) {
      this.#changedMeanwhile = false;
      this.#promise();
    }
    if (this.#again) {
      this.#again = false;
      this.renew();
    }
  }

  #take(hashes: Uint32Array, watched: boolean): void {
    if (this.#stopped) return;
    const added = difference(hashes, this.#hashes);
    const removed = difference(this.#hashes, hashes);
    const same = added.length + removed.length === 0 && watched === this.#watched;
    const promised = this.#promised > this.#generation;
    if (same && this.#generation > 0 && !promised) return;
    this.#generation++;
    this.#hashes = hashes;
    this.#watched = watched;
    this.#history.push({ number: this.#generation, added, removed });
    if (this.#history.length > HISTORY) this.#history.shift();
    if (!promised) this.#changed();
  }

  /** Tells the peers of the next generation before it is built: a file may be here any moment. */
  #promise(): void {
    if (this.#generation === 0 || this.#promised > this.#generation || this.#stopped) return;
    this.#promised = this.#generation + 1;
    this.#changed();
  }
}
