/** Contains the running downloads, and the completed ones whose bytes are kept for the next request. */

import type { SharedTree } from "../../quickserve/tree.ts";
import { PACKAGES } from "../address.ts";
import type { Download } from "./download.ts";
import type { Failover } from "./failover.ts";
import type { PackageSources } from "./package_sources.ts";
import type { InFlightFile } from "./in_flight_file.ts";
import type { Lifeline } from "./lifeline.ts";
import { Reader } from "./reader.ts";
import type { SpoolDirectory } from "./spool.ts";
import type { Store, Stores } from "./store.ts";
import type { RelayTimes } from "./times.ts";
import { Window } from "./window.ts";

/** Milliseconds between two checks for wants that must be repeated, and spools that are no longer needed. */
const SWEEP = 500;

/**
 * Milliseconds between two wants for a file. Its trackers forget a want after 30 s. During a download from
 * a mirror, it is repeated more often, because another server may download the same file, if the trackers
 * did not agree at first, or were too busy to answer. That becomes clear soon, so the pause doubles.
 */
const REPEAT = { fromMirror: { first: 500, longest: 2_000 }, else: 10_000 };

/** Milliseconds that a spool is kept if its package is in the cache, because peers notice that later. */
const KEPT_BESIDE_CACHE = 5_000;

/** A download with its failover and its readers. */
export class Job {
  readonly download: Download;
  readonly failover: Failover;
  /** Identifies the file for other requests; null when no other request may share the download. */
  readonly key: string | null;
  /** Number of replies that are being sent to neighbours. */
  neighbours = 0;
  /** Null when the download is not shared with peers. */
  readonly #inFlight: InFlightFile | null;
  /** The shared tree. It contains the package when pacman has moved it to its cache. */
  readonly #tree: Pick<SharedTree, "lookup">;
  #repeatedAt = performance.now();
  /** Milliseconds before the next want, while a mirror fills the download. */
  #pause: number = REPEAT.fromMirror.first;
  readonly #times: RelayTimes;
  readonly #ended: () => void;
  #readers = 0;
  /** Time when the last reader left (ms). */
  #idleSince = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param ended called when the download is closed. */
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

  /** True while the download has a reader on this host. */
  get isRead(): boolean {
    return this.#readers > 0;
  }

  /** True while neighbours may get the file: not if a source was used with credentials. */
  get isShared(): boolean {
    return this.#inFlight !== null && this.download.isKept &&
      !this.download.segments.some(({ source }) => source.isPrivate) &&
      !this.failover.sources.some((source) => source.isPrivate);
  }

  /** True while the file is being downloaded for pacman on this host. */
  get isFilled(): boolean {
    return this.failover.isRunning;
  }

  /** True when a mirror fills the download. */
  get isFromMirror(): boolean {
    return this.failover.isFromMirror;
  }

  /** The instances through which the bytes come. */
  get chain(): readonly string[] {
    return this.failover.sources.flatMap(({ chain = [] }) => chain);
  }

  /** Milliseconds since the last reader on this host left. */
  get idleFor(): number {
    return this.isRead ? 0 : performance.now() - this.#idleSince;
  }

  /**
   * Returns a reader of these bytes. If the download was stopped, it continues from these candidates.
   *
   * @param askedAt time of the client's request (ms).
   */
  read(
    start: number,
    end: number | null,
    lifeline: Lifeline,
    candidates: PackageSources,
    askedAt: number,
  ): Reader {
    clearTimeout(this.#timer);
    this.#readers++;
    const left = (): void => this.#left();
    const reader = new Reader(this.download, start, end, lifeline, this.#times, askedAt, left);
    this.failover.start(candidates, askedAt);
    return reader;
  }

  /** Closes the download and its sources; readers get no more bytes. */
  close(): void {
    clearTimeout(this.#timer);
    const wasShared = this.isShared;
    this.failover.stop();
    this.download.close();
    this.#ended();
    if (wasShared) this.#inFlight?.end();
  }

  /**
   * Repeats the want if it is due. If the trackers name another server, and a mirror fills this download,
   * the download continues from that server.
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

  /** True when the package is in the cache, where peers find it. */
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
    // pacman may request the file again at once, if both its `CacheServer` and its `Server` line name us.
    this.#timer = setTimeout(() => this.#stop(), this.#times.unread);
  }
}

/** Finds downloads by their key, and creates their stores. */
export class Downloads implements Stores {
  readonly #times: RelayTimes;
  readonly #spools: SpoolDirectory | null;
  readonly #jobs = new Map<string, Job>();
  readonly #all = new Set<Job>();
  #sweeper: ReturnType<typeof setInterval> | null = null;

  /** @param spools null when only windows are used. */
  constructor(times: RelayTimes, spools: SpoolDirectory | null) {
    this.#times = times;
    this.#spools = spools;
  }

  /** Returns the download that a request can share; null otherwise. */
  get(key: string): Job | null {
    const job = this.#jobs.get(key);
    const { state } = job?.download ?? { state: "failed" };
    return job === undefined || state === "failed" || state === "spoiled" ? null : job;
  }

  /** Returns the running download that peers may read; null otherwise. */
  shared(key: string): Job | null {
    const job = this.get(key);
    return job !== null && job.isShared && job.isFilled ? job : null;
  }

  /**
   * Returns a verified download that neighbours may read; null otherwise.
   *
   * @param digest the SHA-256 in hexadecimal digits; null for any.
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
   * Adds a download.
   *
   * @param inFlight null when the download must not be shared with peers.
   * @param tree the shared tree: when it contains the package, the spool is not needed any more.
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

  /** Creates a spool if there is space, else a window. Closes old spools that nobody reads to get space. */
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

  /** The downloads that are running for this host. */
  get running(): Job[] {
    return [...this.#all].filter((job) => job.isFilled && job.download.state === "fetching");
  }

  /** Closes all downloads. */
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
