/**
 * Answers a request of this host with a file that is downloaded from peers and mirrors. If one of them
 * fails, another one replaces it. The client sees a single server that works. doc/relay.md describes how.
 *
 * - `http_source.ts` requests the file from a source with `http_client.ts`; `proxies.ts` finds the proxy of
 *   a mirror;
 * - `failover.ts` and `attempt.ts` decide which source fills the download;
 * - `download.ts` writes the bytes to a spool (`spool.ts`) or a window (`window.ts`), and hashes them;
 * - `reader.ts` and `lifeline.ts` send the bytes to the client;
 * - `in_flight_file.ts` and `in_flight_source.ts` find the same file at other relays that download it;
 * - `holder.ts` and `in_flight_reader.ts` send the file to other relays.
 */

import { BoundedMap } from "../../bounded_map.ts";
import type { HttpRequest, Reply, ReplyHeaders } from "../../http/exchange.ts";
import { notModified, textReply } from "../../http/replies.ts";
import { type ByteRange, contentRange, parseRanges } from "../../http/ranges.ts";
import type { Log } from "../../log.ts";
import type { SharedTree } from "../../quickserve/tree.ts";
import { Download } from "./download.ts";
import { Downloads, type Job } from "./downloads.ts";
import { Failover } from "./failover.ts";
import { Holder } from "./holder.ts";
import type { InFlightFile } from "./in_flight_file.ts";
import { Lifeline } from "./lifeline.ts";
import { OwnReaders } from "./own_readers.ts";
import type { MirrorsOfFile } from "./mirror_copies.ts";
import { PackageSources } from "./package_sources.ts";
import type { PeersWithFile } from "./peer_copies.ts";
import type { Reader } from "./reader.ts";
import type { Received } from "./received.ts";
import { RelayedBody } from "./relayed_body.ts";
import { fileSourceOf, SourceFailure } from "./source.ts";
import type { SourceMemory } from "./source_memory.ts";
import type { SpoolDirectory } from "./spool.ts";
import { StoreFull } from "./store.ts";
import { RELAY_TIMES, type RelayTimes } from "./times.ts";
import { Windows } from "./window.ts";

/** The options of {@link Relay}. */
interface RelayOptions {
  /** Null when there is no directory for spools. */
  readonly spools: SpoolDirectory | null;
  readonly memory: SourceMemory;
  readonly log: Pick<Log, "info" | "debug">;
  readonly times?: RelayTimes;
  /** Counts the files and bytes of downloads. */
  readonly received?: Received;
}

/** The expected size and digest of a file. */
export interface Expected {
  /** Size in bytes. */
  readonly size: number;
  /** Null when no database describes the file, and a mirror reported its size. */
  readonly sha256: Uint8Array | null;
}

/** A requested file, and its possible sources. */
export interface WantedFile {
  readonly name: string;
  /** The repository of the request, for logs and to distinguish files with the same name. */
  readonly repository: string | null;
  /** Null when size and digest are unknown. */
  readonly expected: Expected | null;
  /** False for a database. Its content changes, so bytes of two sources must not be combined. */
  readonly isPackage: boolean;
  /** Null when the file must not come from peers. */
  readonly peers: Pick<PeersWithFile, "find"> | null;
  /** Null when peers may not share the file while it is downloaded. */
  readonly inFlight: InFlightFile | null;
  readonly mirrors: Pick<MirrorsOfFile, "find" | "size" | "failed">;
  /** Time of pacman's request (ms, by `performance.now()`); by default now. */
  readonly askedAt?: number;
  /** The shared tree. It contains the package when pacman has moved it to its cache. */
  readonly tree: Pick<SharedTree, "lookup">;
}

/** The result of a request that no source can answer. */
interface NotRelayed {
  readonly failure: SourceFailure;
}

/** A range that begins at most this many bytes after the last received one waits for the shared download. */
const MAX_AHEAD = 8 * 1024 * 1024;

/** Milliseconds for which a "not found" is stored, because pacman requests each file twice. */
const ABSENT = 2_000;

/** Downloads files from peers and mirrors, and sends them to the clients of this host. */
export class Relay {
  readonly #options: RelayOptions;
  readonly #times: RelayTimes;
  readonly #downloads: Downloads;
  readonly #absent = new BoundedMap<string, SourceFailure>(1_000, ABSENT);
  readonly #own = new OwnReaders();
  /** Sends the files that are downloaded here to neighbours. */
  readonly holder: Holder;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#times = options.times ?? RELAY_TIMES;
    this.#downloads = new Downloads(this.#times, options.spools);
    this.holder = new Holder(this.#downloads, this.#own);
  }

  /** The downloads that are running for this host now. */
  get running(): readonly Job[] {
    return this.#downloads.running;
  }

  /** Ends all downloads. */
  close(): void {
    this.#downloads.close();
  }

  /** Returns the download that all requests for this file share; null if there is none. */
  download(wanted: WantedFile): Download | null {
    return this.#kept(wanted)?.download ?? null;
  }

  /** Returns the sources of a file without in-flight files, for example those of a signature. */
  sourcesOf(wanted: WantedFile): PackageSources {
    return this.#sources(wanted, null);
  }

  /** Returns the reply with the file, or the reason why no source has it. */
  async reply(request: HttpRequest, wanted: WantedFile): Promise<Reply | NotRelayed> {
    const key = downloadKey(wanted);
    const absent = this.#absent.get(key);
    if (absent !== undefined) return { failure: absent };
    const result = await this.#reply(request, wanted);
    if ("failure" in result && result.failure.kind === "absent") {
      this.#absent.set(key, result.failure);
    }
    return result;
  }

  async #reply(request: HttpRequest, wanted: WantedFile): Promise<Reply | NotRelayed> {
    if (request.method === "HEAD") return await this.#head(wanted);
    const field = request.headers["range"];
    // The client has the package already, and a package never changes.
    const isConditional = request.headers["if-modified-since"] !== undefined;
    if (wanted.isPackage && isConditional && field === undefined) {
      return notModified({ "Cache-Control": "no-store" });
    }
    if (field === undefined) return await this.#send(request, wanted, null);
    const size = await this.#sizeOf(wanted);
    if (size === null) return { failure: nobody() };
    const ranges = parseRanges(field, size);
    if (ranges === "unsatisfiable") return unsatisfiable(size);
    // Of several ranges only the first one is sent. Clients must accept this (RFC 9110 §15.3.7.2).
    return await this.#send(request, wanted, ranges?.[0] ?? null);
  }

  async #head(wanted: WantedFile): Promise<Reply | NotRelayed> {
    const size = await this.#sizeOf(wanted);
    if (size === null) return { failure: nobody() };
    return { status: 200, headers: headersOf(size, null), body: null };
  }

  async #sizeOf({ expected, mirrors }: WantedFile): Promise<number | null> {
    return expected?.size ?? await mirrors.size();
  }

  async #send(
    request: HttpRequest,
    wanted: WantedFile,
    range: ByteRange | null,
  ): Promise<Reply | NotRelayed> {
    const isWhole = await this.#isTakenWhole(wanted, range);
    // Do not await between the lookup of a download and `read`: it could be closed meanwhile.
    const job = this.#shared(wanted, range) ??
      (isWhole ? this.#whole(wanted) : this.#rest(wanted, range!.start, range!.end + 1));
    const end = range === null ? null : range.end + 1;
    let reader = this.#readerOf(job, wanted, range?.start ?? 0, end);
    const leave = (): void => void reader.return();
    request.signal.addEventListener("abort", leave, { once: true });
    try {
      let first = await this.#first(reader, job, range);
      if (first instanceof Error) {
        const isRest = first instanceof StoreFull || job.download.start === 0 && range !== null;
        if (!isRest) return { failure: failureOf(first) };
        void reader.return();
        reader = this.#restOf(wanted, reader.position, end);
        first = await reader.next().catch(asError);
        if (first instanceof Error) return { failure: failureOf(first) };
      }
      const replace = (position: number): Promise<Reader> =>
        Promise.resolve(this.#restOf({ ...wanted, askedAt: performance.now() }, position, end));
      const body = new RelayedBody(
        first.done === true ? null : first.value,
        reader,
        replace,
        this.#own,
      );
      return replyWith(reader.download, range, body);
    } finally {
      request.signal.removeEventListener("abort", leave);
    }
  }

  /**
   * Resolves with the first bytes. A range of a peer's copy can only be sent when the whole copy has been
   * verified. Therefore it waits for this at most the time after which a copy is raced by a mirror.
   */
  async #first(
    reader: Reader,
    { download }: Job,
    range: ByteRange | null,
  ): Promise<IteratorResult<Uint8Array> | Error> {
    const first = reader.next().catch(asError);
    if (range === null || range.start === 0 || download.start > 0) return await first;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<Error>((resolve) => {
      timer = setTimeout(() => {
        if (download.received < range.start) resolve(new SourceFailure("broken", "takes too long"));
      }, this.#times.raceAfter);
    });
    const result = await Promise.race([first, late]);
    clearTimeout(timer);
    return result;
  }

  /**
   * Returns a download of the file that can have several readers. Its store keeps all bytes.
   *
   * @returns null when there is none, or when the range begins too far after its last received byte.
   */
  #shared(wanted: WantedFile, range: ByteRange | null): Job | null {
    const job = this.#kept(wanted);
    if (job === null) return null;
    const { state, received } = job.download;
    const isNear = state === "complete" || (range?.start ?? 0) <= received + MAX_AHEAD;
    return isNear ? job : null;
  }

  /** Returns the download of a package whose store keeps all bytes; null if there is none. */
  #kept(wanted: WantedFile): Job | null {
    const job = wanted.isPackage ? this.#downloads.get(downloadKey(wanted)) : null;
    return job?.download.isKept ? job : null;
  }

  /** True when the whole file must be downloaded: a range of a peer's copy cannot be verified alone. */
  async #isTakenWhole(wanted: WantedFile, range: ByteRange | null): Promise<boolean> {
    if (range === null || range.start === 0) return true;
    if (wanted.isPackage && this.#downloads.get(downloadKey(wanted)) !== null) return false;
    const sources = this.#sources(wanted, null);
    const first = await sources.next(false);
    if (first !== null) sources.putBack(first);
    return first?.kind === "copy";
  }

  #whole(wanted: WantedFile): Job {
    const { name, expected, isPackage } = wanted;
    const key = isPackage ? downloadKey(wanted) : null;
    // Another request has started a download, which cannot be shared before a source has sent the length.
    const isSecond = key !== null && this.#downloads.get(key)?.download.store === null;
    const download = new Download({
      name,
      size: expected?.size ?? null,
      sha256: expected?.sha256 ?? null,
      isWhole: true,
      start: 0,
      end: null,
      resumable: isPackage,
      hold: this.#times.mirrorHold,
      stores: this.#downloads,
    });
    return this.#add(isSecond ? null : key, download, wanted.inFlight, wanted.tree);
  }

  /** Returns a reader that begins at the position and gets the bytes from mirrors. */
  #restOf(wanted: WantedFile, position: number, end: number | null): Reader {
    return this.#readerOf(this.#rest(wanted, position, end), wanted, position, end);
  }

  #rest(wanted: WantedFile, start: number, until: number | null): Job {
    const { name, expected, isPackage } = wanted;
    const end = until === expected?.size ? null : until;
    const download = new Download({
      name,
      size: expected?.size ?? null,
      sha256: null,
      isWhole: false,
      start,
      end,
      resumable: isPackage,
      hold: 0,
      stores: new Windows(end),
    });
    return this.#add(null, download, null, wanted.tree);
  }

  #add(
    key: string | null,
    download: Download,
    inFlight: InFlightFile | null,
    tree: Pick<SharedTree, "lookup">,
  ): Job {
    const failover = new Failover(download, this.#times, this.#options.log);
    this.#options.received?.begun(download);
    const stop = download.listen(() => {
      if (download.state === "fetching") return;
      stop();
      this.#options.received?.ended(download);
      if (download.state === "complete") failover.say(summaryOf(download));
    });
    return this.#downloads.add(key, download, failover, inFlight, tree);
  }

  #readerOf(job: Job, wanted: WantedFile, start: number, end: number | null): Reader {
    const { mirrors } = wanted;
    const failed = new Set<string>();
    const lifeline = new Lifeline(job.download, async (last) => {
      const source = await mirrors.find(failed, last);
      if (source !== null) failed.add(source.key);
      return source;
    }, () => job.failover.unmask());
    const { isWhole, last } = job.download;
    const sources = this.#sources(
      isWhole ? wanted : { ...wanted, peers: null },
      last,
      isWhole && job.isShared ? job.download : null,
    );
    return job.read(start, end, lifeline, sources, wanted.askedAt ?? performance.now());
  }

  #sources(
    wanted: WantedFile,
    last: number | null,
    download: Download | null = null,
  ): PackageSources {
    const { name, expected, peers, inFlight, mirrors } = wanted;
    return new PackageSources({
      file: name,
      digest: expected?.sha256?.toHex() ?? "",
      peers,
      inFlight: inFlight === null || download === null ? null : { file: inFlight, download },
      mirrors,
      last,
      memory: this.#options.memory,
    });
  }
}

function downloadKey({ name, repository, expected }: WantedFile): string {
  return `${name} ${expected?.sha256?.toHex() ?? repository}`;
}

function replyWith(download: Download, range: ByteRange | null, body: RelayedBody): Reply {
  const size = download.size!;
  const headers = headersOf(size, range);
  if (download.lastModified !== null) headers["Last-Modified"] = download.lastModified;
  const [first] = download.segments;
  return {
    status: range === null ? 200 : 206,
    headers,
    body,
    ...(first === undefined
      ? {}
      : { source: first.source.name, fileSource: fileSourceOf(first.source) }),
  };
}

function headersOf(size: number, range: ByteRange | null): ReplyHeaders {
  return {
    "Content-Type": "application/octet-stream",
    "Content-Length": String(range === null ? size : range.end + 1 - range.start),
    ...(range === null ? {} : { "Content-Range": contentRange(range, size) }),
    "Accept-Ranges": "bytes",
    "Cache-Control": "no-store",
    // Do not trust a page of a mirror more than a local file.
    "Content-Security-Policy": "sandbox",
  };
}

function unsatisfiable(size: number): Reply {
  return textReply(416, undefined, { "Content-Range": `bytes */${size}` });
}

/** Returns `20000000 bytes from peer http://10.0.0.2:15678 (8388608) and mirror https://… (…), verified`. */
function summaryOf({ segments, start, end, isVerified }: Download): string {
  const total = end! - start;
  const bytes = new Map<string, number>();
  for (const { source, from, to } of segments) {
    bytes.set(source.name, (bytes.get(source.name) ?? 0) + to - from);
  }
  const names = [...bytes].map(([name, count]) => bytes.size === 1 ? name : `${name} (${count})`);
  return `${total} bytes from ${names.join(" and ")}, ${isVerified ? "verified" : "not verified"}`;
}

function failureOf(error: Error): SourceFailure {
  return error instanceof SourceFailure ? error : new SourceFailure("broken", error.message);
}

function nobody(): SourceFailure {
  return new SourceFailure("absent", "no source has the file");
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
