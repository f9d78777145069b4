/**
 * The index that this server publishes: the names in its `pkg` directory.
 *
 * It is built in the background, and built again after each change. Each change makes a new generation. A
 * peer that has an earlier one gets only the changes since then.
 */

import { BoundedMap } from "../../bounded_map.ts";
import type { Log } from "../../log.ts";
import { EventEmitter } from "node:events";
import { Backoff } from "../../backoff.ts";
import { messageOf } from "../../failure.ts";
import type { HttpRequest, Reply, ReplyHeaders } from "../../http/exchange.ts";
import { contentReply, notModified } from "../../http/replies.ts";
import type { OwnFiles } from "../own_server.ts";
import { HEADERS } from "../protocol.ts";
import { DirectoryWatch } from "./directory_watch.ts";
import {
  applied,
  difference,
  encodeIndex,
  hashesOf,
  INDEX_TARGET,
  type IndexMessage,
} from "./format.ts";

/** Number of generations for which the changes are stored. */
const HISTORY = 64;

/** Milliseconds from a change to the new generation. They double each time while changes continue. */
const DELAY = { first: 250, max: 4_000 };

/**
 * Milliseconds to a new build after a file was touched: a file that only root could read may have become
 * readable. A download touches its file all the time, therefore this is longer, and no new generation is
 * promised to peers.
 */
const TOUCHED_DELAY = 15_000;

/** Milliseconds without a change after which the delay is the first one again. */
const QUIET = 10_000;

/** Milliseconds between two builds if a directory is missing or cannot be watched. */
const BUILD_UNWATCHED = 60_000;

/** Milliseconds between two builds while a file is being written. */
const BUILD_GROWING = 2_000;

interface Generation {
  readonly number: number;
  readonly added: Uint32Array;
  readonly removed: Uint32Array;
}

/**
 * Builds, renews and serves the index.
 *
 * Its event `changed` is emitted once for each new generation, as soon as it is certain that there will be one.
 */
export class PublishedIndex extends EventEmitter<{ changed: [] }> {
  /** The random identity of this running server. */
  readonly instance: string = crypto.randomUUID();
  /** True when this server relays. It is sent to all peers. */
  relays = false;
  readonly #isPublished: boolean;
  readonly #log: Log;
  readonly #watch: DirectoryWatch;
  #files: OwnFiles | null = null;
  /** The encoded answers, by the generation that the sender of the request has. */
  readonly #answers = new BoundedMap<number, Uint8Array>(HISTORY + 1);
  #hashes: Uint32Array = new Uint32Array();
  #history: Generation[] = [];
  #generation = 0;
  /** The generation that peers were told about before it was built. */
  #promised = 0;
  #watched = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #due = 0;
  readonly #delay = new Backoff(DELAY);
  #lastBuild = -Infinity;
  #building = false;
  #again = false;
  #changedMeanwhile = false;
  #stopped = false;

  /**
   * @param directories the directories of the packages, which are watched; null for a server that publishes
   * no index.
   */
  constructor(directories: readonly string[] | null, log: Log) {
    super();
    this.#isPublished = directories !== null;
    this.#log = log;
    this.#watch = new DirectoryWatch(
      directories ?? [],
      () => this.renew(),
      () => this.#schedule(TOUCHED_DELAY),
    );
  }

  /** Sets the files from which the index is built. */
  list(files: OwnFiles): void {
    const isOther = this.#files !== null;
    this.#files = files;
    if (isOther) this.renew();
  }

  /** Returns the header fields that identify this server, for questions and answers. */
  headers(): Record<string, string> {
    const { generation } = this;
    return {
      [HEADERS.instance]: this.instance,
      ...(generation > 0 ? { [HEADERS.index]: String(generation) } : {}),
      ...(this.relays ? { [HEADERS.relay]: "1" } : {}),
    };
  }

  /**
   * The number of the newest generation; 0 while there is none. After a change, until the index is built
   * again, it is one more than the generation of the index, so that peers with an earlier index do not
   * conclude from it that this server does not have a file.
   */
  get generation(): number {
    return Math.max(this.#generation, this.#promised);
  }

  /** Starts to build the index in the background. */
  start(): void {
    this.#schedule(0);
  }

  /** Stops watching. */
  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#watch.stop();
  }

  /** Must be called when names may have changed. */
  renew(): void {
    if (this.#building) this.#changedMeanwhile = true;
    else this.#promise();
    if (performance.now() - this.#lastBuild > QUIET) this.#delay.reset();
    this.#schedule(this.#delay.next());
  }

  /** Answers a GET of {@link INDEX_TARGET} with the whole index, the changes, or 304. */
  answer(request: HttpRequest, headers: ReplyHeaders): Reply {
    if (this.#generation === 0) return { status: 404, headers, body: null };
    const etag = `"${this.instance}.${this.#generation}"`;
    const all: ReplyHeaders = { ...headers, ETag: etag, "Cache-Control": "no-cache" };
    if (request.headers["if-none-match"] === etag) return notModified(all);
    return contentReply(200, "application/octet-stream", this.#encoded(request.target), all);
  }

  /**
   * Returns the bytes of an answer. They are cached, because nearly all peers ask for the same, and a
   * neighbour may ask as fast as it can.
   */
  #encoded(target: string): Uint8Array {
    const from = this.#generationIn(target);
    const known = this.#answers.get(from);
    if (known !== undefined) return known;
    const changes = this.#since(from);
    if (changes === null && from > 0) return this.#encoded(INDEX_TARGET);
    const body = encodeIndex(changes ?? this.#whole());
    this.#answers.set(from, body);
    return body;
  }

  #whole(): IndexMessage {
    const none = new Uint32Array();
    return { changes: false, watched: this.#watched, added: this.#hashes, removed: none };
  }

  /** Returns the generation that the sender of a request has; 0 when it has none of this instance. */
  #generationIn(target: string): number {
    const since = new URLSearchParams(target.slice(2)).get("since") ?? "";
    const point = since.lastIndexOf(".");
    const generation = Number(since.slice(point + 1));
    const isOurs = since.slice(0, point) === this.instance && Number.isInteger(generation) &&
      generation >= 1 && generation <= this.#generation;
    return isOurs ? generation : 0;
  }

  /** Returns the changes since a generation; null when they are no longer stored. */
  #since(from: number): IndexMessage | null {
    if (from === 0) return null;
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
    if (this.#stopped || !this.#isPublished) return;
    const due = performance.now() + delay;
    if (this.#timer !== null) {
      if (this.#due <= due) return;
      clearTimeout(this.#timer);
    }
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#build().catch((error) => {
        this.#log.warn(`cannot list the packages for the index: ${messageOf(error)}`);
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
      // Start to watch before reading the names, so that no change between the two is missed.
      const watched = this.#watch.start();
      const { names, isGrowing } = await this.#files?.packageNames() ??
        { names: [], isGrowing: false };
      // A file that is being written is not in the index yet. Tell peers that the index may be
      // incomplete, as if the directories were not watched.
      this.#take(hashesOf(names), watched === "yes" && !isGrowing);
      if (isGrowing) this.#schedule(BUILD_GROWING);
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
    this.#answers.clear();
    this.#hashes = hashes;
    this.#watched = watched;
    this.#history.push({ number: this.#generation, added, removed });
    if (this.#history.length > HISTORY) this.#history.shift();
    if (!promised) this.emit("changed");
  }

  /** Tells the peers about the next generation before it is built, because the new file may be here already. */
  #promise(): void {
    if (this.#generation === 0 || this.#promised > this.#generation || this.#stopped) return;
    this.#promised = this.#generation + 1;
    this.emit("changed");
  }
}
