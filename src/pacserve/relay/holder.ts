/**
 * Sends files in the spool to peers. A verified file is sent like a file in the cache. An in-flight file is
 * sent only to a relay that names its digest.
 */

import type { HttpRequest, Reply } from "../../http/exchange.ts";
import { contentRange, parseRanges } from "../../http/ranges.ts";
import { textReply } from "../../http/replies.ts";
import { HEADERS, isInstance } from "../../peers/protocol.ts";
import type { Downloads, Job } from "./downloads.ts";
import { InFlightReader } from "./in_flight_reader.ts";
import type { OwnReaders } from "./own_readers.ts";

/** The maximum number of readers of in-flight files. */
const HOLDER_BOUNDS = {
  /** Readers of one file. */
  perFile: 4,
  /** Readers with the same address. */
  perAddress: 8,
  /** Readers of all files. */
  readers: 12,
  /** Servers through which the file comes. If there are as many, this server accepts no readers. */
  chain: 8,
} as const;

/** The place of a reader of an in-flight file. */
interface Place {
  readonly job: Job;
  readonly instance: string;
  readonly address: string;
  /** Number of relays that were sent to this reader instead. */
  sent: number;
}

/** Sends verified and in-flight files to peers. */
export class Holder {
  readonly #downloads: Downloads;
  readonly #own: OwnReaders;
  readonly #places = new Set<Place>();

  constructor(downloads: Downloads, own: OwnReaders) {
    this.#downloads = downloads;
    this.#own = own;
  }

  /** True when there is a verified file with this name that peers may get. */
  has(name: string): boolean {
    return this.#downloads.verified(name, null) !== null;
  }

  /**
   * Answers a neighbour's request for a package.
   *
   * @param instance of this server.
   * @returns null when the file is not in the spool, or the neighbour may not get it.
   */
  answer(request: HttpRequest, name: string, instance: string): Reply | null {
    const digest = digestOf(request);
    const verified = this.#downloads.verified(name, digest);
    if (verified !== null) return this.#whole(request, verified);
    if (digest === null || request.method !== "GET") return null;
    const job = this.#downloads.shared(`${name} ${digest}`);
    return job === null ? null : this.#inFlight(request, job, instance);
  }

  #whole(request: HttpRequest, job: Job): Reply {
    const size = job.download.size!;
    const ranges = parseRanges(request.headers["range"] ?? "", size);
    if (ranges === "unsatisfiable") {
      return textReply(416, undefined, { "Content-Range": `bytes */${size}` });
    }
    const { start, end } = ranges?.[0] ?? { start: 0, end: size - 1 };
    return this.#reply(request, job, start, end + 1, ranges !== null, []);
  }

  #inFlight(request: HttpRequest, job: Job, instance: string): Reply | null {
    const reader = request.headers[HEADERS.instance.toLowerCase()] ?? "";
    const { size, received } = job.download;
    const start = startOf(request.headers["range"]);
    if (!isInstance(reader) || start === null || size === null || start >= size) return null;
    const { chain, isFromMirror } = job;
    const isAhead = start > received && !isFromMirror;
    if (chain.includes(reader) || isAhead || chain.length >= HOLDER_BOUNDS.chain) return full(null);
    const { remoteAddress: address } = request.connection;
    const all = [...this.#places];
    if (all.filter((each) => each.address === address).length >= HOLDER_BOUNDS.perAddress) {
      return full(null);
    }
    const readers = all.filter((each) => each.job === job);
    if (readers.length >= HOLDER_BOUNDS.perFile || all.length >= placesFor(readers.length)) {
      return full(nextOf(readers.filter((each) => each.instance !== reader)));
    }
    const place: Place = { job, instance: reader, address, sent: 0 };
    return this.#reply(request, job, start, size, start > 0, [instance, ...chain], place);
  }

  #reply(
    request: HttpRequest,
    job: Job,
    start: number,
    end: number,
    isPart: boolean,
    via: readonly string[],
    place: Place | null = null,
  ): Reply {
    const { size, lastModified } = job.download;
    const headers = {
      "Content-Type": "application/octet-stream",
      "Content-Length": String(end - start),
      ...(isPart ? { "Content-Range": contentRange({ start, end: end - 1 }, size!) } : {}),
      "Accept-Ranges": "bytes",
      "Cache-Control": "no-store",
      "Content-Security-Policy": "sandbox",
      ...(lastModified === null ? {} : { "Last-Modified": lastModified }),
      ...(via.length === 0 ? {} : { "Via": via.map((each) => `1.1 ${each}`).join(", ") }),
    };
    const reply = {
      status: isPart ? 206 : 200,
      headers,
      source: "spool",
      fileSource: "inFlight",
    } as const;
    const { store } = job.download;
    if (request.method === "HEAD" || store === null) return { ...reply, body: null };
    if (place !== null) this.#places.add(place);
    job.neighbours++;
    const body = new InFlightReader(
      job.download,
      store,
      start,
      end,
      this.#own,
      () => job.isShared && (job.isFilled || job.download.isVerified),
      () => {
        if (place !== null) this.#places.delete(place);
        job.neighbours--;
      },
    );
    return { ...reply, body };
  }
}

/**
 * Returns the number of used places of all files at which a file with this number of readers gets no further
 * reader. It is lower for each reader, so that the first reader of another file finds a place. The other
 * readers of that file can then read from the first one.
 */
function placesFor(readers: number): number {
  return HOLDER_BOUNDS.readers - 2 * readers;
}

function digestOf({ headers }: HttpRequest): string | null {
  const field = headers[HEADERS.digest.toLowerCase()] ?? "";
  return /^sha256=([0-9a-f]{64})$/i.exec(field)?.[1]?.toLowerCase() ?? null;
}

/** Returns the position where a reader begins; null for a range that relays do not request. */
function startOf(range: string | undefined): number | null {
  if (range === undefined) return 0;
  const match = /^bytes=(\d{1,15})-$/.exec(range);
  return match === null ? null : Number(match[1]);
}

/** Returns the reader to which the fewest relays were sent. */
function nextOf(readers: readonly Place[]): Place | null {
  const [best] = readers.toSorted((one, other) => one.sent - other.sent);
  if (best !== undefined) best.sent++;
  return best ?? null;
}

function full(next: Place | null): Reply {
  const headers = next === null ? {} : { [HEADERS.try]: next.instance };
  return textReply(503, "503 This file has the maximum number of readers", headers);
}
