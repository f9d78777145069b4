/** The downloads under way, and those whose bytes are kept for the next request. */

import type { SharedTree } from "../../quickserve/tree.ts";
import { PACKAGES } from "../address.ts";
import type { Download } from "./download.ts";
import type { Candidates, Failover } from "./failover.ts";
import type { InFlightFile } from "./in_flight_file.ts";
import type { Lifeline } from "./lifeline.ts";
import { Reader } from "./reader.ts";
import type { SpoolDirectory } from "./spool.ts";
import type { Store, Stores } from "./store.ts";
import type { RelayTimes } from "./times.ts";
import { Window } from "./window.ts";

/** Milliseconds between two looks at what is to be said again, and at spools that are not needed any more. */
const SWEEP = 500;

/**
 * Milliseconds between two wants for a file: its trackers forget it after 30 s. One that comes from a
 * mirror is asked for more often, since another server may download it as well: they did not agree at
 * first, or one of them was too busy to answer. The pause doubles, as that soon shows.
 */
const REPEAT = { fromMirror: { first: 500, longest: 2_000 }, else: 10_000 };

/** A file in the cache is kept for so long (ms): peers learn of the cache a moment later. */
const KEPT_BESIDE_CACHE = 5_000;

/** A download, what fills it, and how many read it. */
export class Job {
  readonly download: Download;
  readonly failover: Failover;
  /** Under which it is found by those who want the same file; null: nobody else gets it. */
  readonly key: string | null;
  /** Replies to neighbours under way. */
  neighbours = 0;
  /** Null: it is shared with nobody. */
  readonly #inFlight: InFlightFile | null;
  /** Where the package goes at last. */
  readonly #tree: Pick<SharedTree, "lookup">;
  #repeatedAt = performance.now();
  /** The pause before the next want, while a mirror fills it. */
  #pause: number = REPEAT.fromMirror.first;
  readonly #times: RelayTimes;
  readonly #ended: () => void;
  #readers = 0;
  /** When the last reader left. */
  #idleSince = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param ended called when it is of no use to others any more. */
  constructor(
    key: string | null,
    download: Download,
    failover: Failover,
    inFlight: InFlightFile | null,
    tree: Pick<SharedTree, "lookup">,
    times: RelayTimes,
    ended: () => void,
  ) {
    this.key = key;
    this.#inFlight = inFlight;
    this.#tree = tree;
    this.download = download;
    this.failover = failover;
    this.#times = times;
    this.#ended = ended;
  }

  /** True while somebody reads. */
  get isRead(): boolean {
    return this.#readers > 0;
  }

  /** True while neighbours may have it: not when it came with credentials. */
  get isShared(): boolean {
    return this.#inFlight !== null && this.download.isKept &&
      !this.download.segments.some(({ source }) => source.isPrivate) &&
      !this.failover.sources.some((source) => source.isPrivate);
  }

  /** True while this host's own pacman has it downloaded. */
  get isFilled(): boolean {
    return this.failover.isRunning;
  }

  /** True when a mirror fills it. */
  get isFromMirror(): boolean {
    return this.failover.isFromMirror;
  }

  /** The instances that its bytes come through. */
  get chain(): readonly string[] {
    return this.failover.sources.flatMap(({ chain = [] }) => chain);
  }

  /** For how long (ms) nobody has read. */
  get idleFor(): number {
    return this.isRead ? 0 : performance.now() - this.#idleSince;
  }

  /**
   * A reader of these bytes; if the download was stopped it goes on, from these candidates.
   *
   * @param askedAt when the client asked for it, in milliseconds.
   */
  read(
    start: number,
    end: number | null,
    lifeline: Lifeline,
    candidates: Candidates,
    askedAt: number,
  ): Reader {
    clearTimeout(this.#timer);
    this.#readers++;
    const left = (): void => this.#left();
    const reader = new Reader(this.download, start, end, lifeline, this.#times, askedAt, left);
    this.failover.start(candidates, askedAt);
    return reader;
  }

  /** Closes everything; readers get no more. */
  close(): void {
    clearTimeout(this.#timer);
    const wasShared = this.isShared;
    this.failover.stop();
    this.download.close();
    this.#ended();
    if (wasShared) this.#inFlight?.end();
  }

  /**
   * Tells the trackers now and then that it is still here. Where they name another server, and a mirror
   * fills this one, it goes on from there.
   */
  repeat(): void {
    const { isVerified, received } = this.download;
    const pause = this.isFromMirror ? this.#pause : REPEAT.else;
    const isDue = performance.now() - this.#repeatedAt >= pause;
    if (!isDue || !this.isShared || !(this.isFilled || isVerified)) return;
    this.#repeatedAt = performance.now();
    this.#pause = Math.min(2 * this.#pause, REPEAT.fromMirror.longest);
    const late = this.#inFlight?.find(received, new Set()).late;
    void late?.then((source) => {
      if (source !== null && this.failover.isFromMirror) this.failover.prefer(source);
    });
  }

  /** The package is in the cache, where everybody looks for it. */
  get isInCache(): boolean {
    return this.#tree.lookup([PACKAGES, this.download.name])?.kind === "file";
  }

  #stop(): void {
    this.failover.stop();
    if (this.isShared && !this.download.isVerified) this.#inFlight?.end();
  }

  #left(): void {
    this.#readers--;
    if (this.#readers > 0) return;
    this.#idleSince = performance.now();
    const { state, isKept } = this.download;
    const isUseful = this.key !== null && isKept && (state === "fetching" || state === "complete");
    if (!isUseful) return this.close();
    // pacman may come back at once, by its `Server` line after its `CacheServer` line.
    this.#timer = setTimeout(() => this.#stop(), this.#times.unread);
  }
}

/** Finds downloads by key, and gives them stores. */
export class Downloads implements Stores {
  readonly #times: RelayTimes;
  readonly #spools: SpoolDirectory | null;
  readonly #jobs = new Map<string, Job>();
  readonly #all = new Set<Job>();
  #sweeper: ReturnType<typeof setInterval> | null = null;

  /** @param spools null: everything goes through windows. */
  constructor(times: RelayTimes, spools: SpoolDirectory | null) {
    this.#times = times;
    this.#spools = spools;
  }

  /** The download that a request can share; null when there is none. */
  get(key: string): Job | null {
    const job = this.#jobs.get(key);
    const { state } = job?.download ?? { state: "failed" };
    return job === undefined || state === "failed" || state === "spoiled" ? null : job;
  }

  /** One that peers may read, while it is downloaded for this host; null when there is none. */
  shared(key: string): Job | null {
    const job = this.get(key);
    return job !== null && job.isShared && job.isFilled ? job : null;
  }

  /**
   * One that is verified, and that neighbours may have.
   *
   * @param digest in hexadecimal digits; null for any.
   */
  verified(name: string, digest: string | null): Job | null {
    for (const job of this.#all) {
      const { download, key } = job;
      if (download.name !== name || !download.isVerified || !job.isShared) continue;
      if (digest === null || key === `${name} ${digest}`) return job;
    }
    return null;
  }

  /**
   * Adds one.
   *
   * @param inFlight null when it must not be shared with peers.
   * @param tree where the package goes at last: then its spool is not needed any more.
   */
  add(
    key: string | null,
    download: Download,
    failover: Failover,
    inFlight: InFlightFile | null,
    tree: Pick<SharedTree, "lookup">,
  ): Job {
    const job: Job = new Job(key, download, failover, inFlight, tree, this.#times, () => {
      this.#all.delete(job);
      if (key !== null && this.#jobs.get(key) === job) this.#jobs.delete(key);
    });
    this.#all.add(job);
    if (key !== null) this.#jobs.set(key, job);
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP);
    return job;
  }

  /** A spool where there is room, else a window. */
  create(_start: number, size: number): Store {
    while (this.#spools?.hasRoom(size) === false) {
      const oldest = [...this.#all].filter((job) =>
        !job.isRead && job.neighbours === 0 && job.download.store !== null
      )
        .toSorted((one, other) =>
          other.idleFor - one.idleFor
        )[0];
      if (oldest === undefined) return new Window(0, size);
      oldest.close();
    }
    return this.#spools?.create(size) ?? new Window(0, size);
  }

  /** Closes all. */
  close(): void {
    if (this.#sweeper !== null) clearInterval(this.#sweeper);
    this.#sweeper = null;
    for (const job of [...this.#all]) job.close();
  }

  #sweep(): void {
    for (const job of [...this.#all]) {
      const isOver = job.idleFor > this.#times.kept ||
        (job.idleFor > KEPT_BESIDE_CACHE && job.neighbours === 0 && job.isInCache);
      if (isOver) job.close();
      else job.repeat();
    }
    if (this.#all.size > 0 || this.#sweeper === null) return;
    clearInterval(this.#sweeper);
    this.#sweeper = null;
  }
}
