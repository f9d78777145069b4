/**
 * Gives peers what is in the spool: a file that is verified like one of the cache, and a file that is
 * still being downloaded to a relay that names the digest, and to nobody else.
 */

import type { HttpRequest, Reply } from "../../http/exchange.ts";
import { contentRange, parseRanges } from "../../http/ranges.ts";
import { textReply } from "../../http/replies.ts";
import { HEADERS, isInstance } from "../../peers/protocol.ts";
import type { Downloads, Job } from "./downloads.ts";
import { InFlightReader } from "./in_flight_reader.ts";
import type { OwnReaders } from "./own_readers.ts";

/** Readers of in-flight files. */
const HOLDER_BOUNDS = {
  /** Of one file. */
  perFile: 4,
  /** Of one address. */
  perAddress: 8,
  /** In all. */
  readers: 12,
  /** Servers through which a file comes here; more do not follow. */
  chain: 8,
} as const;

/** One that reads an in-flight file. */
interface Place {
  readonly job: Job;
  readonly instance: string;
  readonly address: string;
  /** How often others were sent to it. */
  sent: number;
}

/** Gives in-flight files. */
export class Holder {
  readonly #downloads: Downloads;
  readonly #own: OwnReaders;
  readonly #places = new Set<Place>();

  constructor(downloads: Downloads, own: OwnReaders) {
    this.#downloads = downloads;
    this.#own = own;
  }

  /** Whether there is a verified file of this name that anybody may have. */
  has(name: string): boolean {
    return this.#downloads.verified(name, null) !== null;
  }

  /**
   * Answers a request for a package by a neighbour.
   *
   * @param instance of this server.
   * @returns null when there is nothing here that the neighbour may know of.
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
    const reply = { status: isPart ? 206 : 200, headers, source: "spool" };
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
 * How many places may be taken when the next reader of a file comes that has so many: the first of each
 * file must find one, since the others can read from it.
 */
function placesFor(readers: number): number {
  return HOLDER_BOUNDS.readers - 2 * readers;
}

function digestOf({ headers }: HttpRequest): string | null {
  const field = headers[HEADERS.digest.toLowerCase()] ?? "";
  return /^sha256=([0-9a-f]{64})$/i.exec(field)?.[1]?.toLowerCase() ?? null;
}

/** Where a reader begins; null for a range that relays do not ask for. */
function startOf(range: string | undefined): number | null {
  if (range === undefined) return 0;
  const match = /^bytes=(\d{1,15})-$/.exec(range);
  return match === null ? null : Number(match[1]);
}

/** The reader to whom others were sent least often. */
function nextOf(readers: readonly Place[]): Place | null {
  const [best] = readers.toSorted((one, other) => one.sent - other.sent);
  if (best !== undefined) best.sent++;
  return best ?? null;
}

function full(next: Place | null): Reply {
  const headers = next === null ? {} : { [HEADERS.try]: next.instance };
  return textReply(503, "503 Enough others read this file from here", headers);
}
