/**
 * Answers a request of this host with a file that is fetched from peers and mirrors: a single server
 * that works, whatever they do.
 *
 * - `http_source.ts`: asks one of them, by `http_client.ts`, a mirror through `proxies.ts`;
 * - `failover.ts`, `attempt.ts`: which of them fills the download, and who replaces whom;
 * - `download.ts`, with a spool (`spool.ts`) or a window (`window.ts`): the bytes, and their digest;
 * - `reader.ts`, `lifeline.ts`: the bytes on their way to the client;
 * - `in_flight_file.ts`, `in_flight_source.ts`: the same file at other relays that download it;
 * - `holder.ts`, `in_flight_reader.ts`: what other relays get of it.
 */

import { LRUCache } from "lru-cache";
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
import { type MirrorCopies, PackageSources, type PeerCopies } from "./package_sources.ts";
import type { Reader } from "./reader.ts";
import { RelayedBody } from "./relayed_body.ts";
import { SourceFailure } from "./source.ts";
import type { SourceMemory } from "./source_memory.ts";
import type { SpoolDirectory } from "./spool.ts";
import { StoreFull } from "./store.ts";
import { RELAY_TIMES, type RelayTimes } from "./times.ts";
import { Windows } from "./window.ts";

/** What a relay needs. */
interface RelayOptions {
  /** Null: there is no directory for spools. */
  readonly spools: SpoolDirectory | null;
  readonly memory: SourceMemory;
  readonly log: Pick<Log, "info" | "debug">;
  readonly times?: RelayTimes;
}

/** What is known of a file. */
export interface Expected {
  /** Bytes. */
  readonly size: number;
  /** Null where no database describes the file, and a mirror said its size. */
  readonly sha256: Uint8Array | null;
}

/** A file that is wanted, and where it may come from. */
export interface WantedFile {
  readonly name: string;
  /** For logs and for telling files of one name apart: the repository of the request. */
  readonly repository: string | null;
  /** Null when nobody knows what it must be. */
  readonly expected: Expected | null;
  /** False for a database, which changes under its name: bytes of two sources do not go together. */
  readonly isPackage: boolean;
  /** Null: it must not come from peers. */
  readonly peers: PeerCopies | null;
  /** Null: relays do not share it while it is downloaded. */
  readonly inFlight: InFlightFile | null;
  readonly mirrors: MirrorCopies;
  /** When pacman asked for it, in milliseconds; by default now. */
  readonly askedAt?: number;
  /** Where a package goes at last. */
  readonly tree: Pick<SharedTree, "lookup">;
}

/** How a request ended for which there is no file. */
interface NotRelayed {
  readonly failure: SourceFailure;
}

/** A part of a file may be asked for that lies so many bytes ahead of what is here. */
const MAX_AHEAD = 8 * 1024 * 1024;

/** For so long (ms) a "not found" is remembered: pacman asks twice. */
const ABSENT = 2_000;

/** Relays files. */
export class Relay {
  readonly #options: RelayOptions;
  readonly #times: RelayTimes;
  readonly #downloads: Downloads;
  readonly #absent = new LRUCache<string, SourceFailure>({ max: 1_000, ttl: ABSENT });
  readonly #own = new OwnReaders();
  /** Gives neighbours what is downloaded here. */
  readonly holder: Holder;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#times = options.times ?? RELAY_TIMES;
    this.#downloads = new Downloads(this.#times, options.spools);
    this.holder = new Holder(this.#downloads, this.#own);
  }

  /** Ends all downloads. */
  close(): void {
    this.#downloads.close();
  }

  /** A complete download of this file that is kept, to check its signature with. */
  completed(wanted: WantedFile): Download | null {
    const download = this.#downloads.get(keyOf(wanted))?.download;
    return download?.state === "complete" && download.isKept ? download : null;
  }

  /** The sources of a file, for what is fetched beside it. */
  sourcesOf(wanted: WantedFile): PackageSources {
    return this.#sources(wanted, null);
  }

  /** The reply with the file, or why there is none. */
  async reply(request: HttpRequest, wanted: WantedFile): Promise<Reply | NotRelayed> {
    const key = keyOf(wanted);
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
    // A package never changes under its name and digest.
    const isConditional = request.headers["if-modified-since"] !== undefined;
    if (wanted.isPackage && isConditional && field === undefined) {
      return notModified({ "Cache-Control": "no-store" });
    }
    if (field === undefined) return await this.#send(request, wanted, null);
    const size = await this.#sizeOf(wanted);
    if (size === null) return { failure: nobody() };
    const ranges = parseRanges(field, size);
    if (ranges === "unsatisfiable") return unsatisfiable(size);
    // Of several ranges the first is given, which a client has to expect (RFC 9110 §15.3.7.2).
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
    // Nothing is awaited between finding a download and reading it: it could be closed meanwhile.
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
   * The first bytes. Of a part of a file, which a peer's whole copy has to be here for, it waits no
   * longer than a peer's copy may take.
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
   * A download that others read, too: its store keeps all bytes, since a window has a single reader.
   *
   * @returns null when there is none that is near to what is wanted.
   */
  #shared(wanted: WantedFile, range: ByteRange | null): Job | null {
    const job = wanted.isPackage ? this.#downloads.get(keyOf(wanted)) : null;
    if (job === null || !job.download.isKept) return null;
    const { state, received } = job.download;
    const isNear = state === "complete" || (range?.start ?? 0) <= received + MAX_AHEAD;
    return isNear ? job : null;
  }

  /** A peer's copy is taken whole, whatever part of it is wanted: only a whole one can be verified. */
  async #isTakenWhole(wanted: WantedFile, range: ByteRange | null): Promise<boolean> {
    if (range === null || range.start === 0) return true;
    if (wanted.isPackage && this.#downloads.get(keyOf(wanted)) !== null) return false;
    const sources = this.#sources(wanted, null);
    const first = await sources.next(false);
    if (first !== null) sources.putBack(first);
    return first?.kind === "copy";
  }

  #whole(wanted: WantedFile): Job {
    const { name, expected, isPackage } = wanted;
    const key = isPackage ? keyOf(wanted) : null;
    // Another request was faster. Its download cannot be shared before its source said the length.
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

  /** Reads what follows a position, from mirrors. */
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
    const stop = download.listen(() => {
      if (download.state === "fetching") return;
      stop();
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

function keyOf({ name, repository, expected }: WantedFile): string {
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
    ...(first === undefined ? {} : { source: first.source.name }),
  };
}

function headersOf(size: number, range: ByteRange | null): ReplyHeaders {
  return {
    "Content-Type": "application/octet-stream",
    "Content-Length": String(range === null ? size : range.end + 1 - range.start),
    ...(range === null ? {} : { "Content-Range": contentRange(range, size) }),
    "Accept-Ranges": "bytes",
    "Cache-Control": "no-store",
    // A mirror's page is no more trusted than a file of ours.
    "Content-Security-Policy": "sandbox",
  };
}

function unsatisfiable(size: number): Reply {
  return textReply(416, undefined, { "Content-Range": `bytes */${size}` });
}

/** `20000000 bytes from peer http://10.0.0.2:15678 (8388608) and mirror https://… (…), verified`. */
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
  return new SourceFailure("absent", "nobody has it");
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
