/** A file at a peer or a mirror, asked for by HTTP. */

import { HEADERS, isInstance } from "../../peers/protocol.ts";
import { RedirectRefused, requestMirror } from "../mirror_request.ts";
import type { Self } from "../servers.ts";
import { type FileAnswer, type FileClient, HttpError, Unreachable } from "./http_client.ts";
import { type Source, SourceFailure, type SourceKind, type SourceStream } from "./source.ts";

/** Where a file is, and how it is asked for. */
interface HttpSourceOptions {
  readonly kind: SourceKind;
  readonly name: string;
  /** The address of the file, credentials included. */
  readonly url: string;
  readonly client: FileClient;
  /** Header fields that go with each request. */
  readonly headers: Readonly<Record<string, string>>;
  /** PEM certificates that are trusted beside the system's. */
  readonly authorities?: readonly string[];
  /**
   * This very server: redirects of a mirror are followed as pacman would, except to it. Null: redirects
   * are not followed, as a peer has no reason to send any.
   */
  readonly self: Pick<Self, "isAt"> | null;
  /** Last byte (included) that is of interest; left out for the file's end. */
  readonly last?: number;
  /** What it gives is for this host alone. */
  readonly isPrivate?: boolean;
}

/** A holder has enough readers of its in-flight file, and names one of them. */
export class FullHolder extends SourceFailure {
  /** An instance. */
  readonly reader: string;

  constructor(reader: string) {
    super("refused", "has enough readers");
    this.reader = reader;
  }
}

/** Servers in a `Via` that are read. */
const MAX_VIA = 16;

/** A source that answers over HTTP. */
export class HttpSource implements Source {
  readonly kind: SourceKind;
  readonly name: string;
  readonly key: string;
  readonly isPrivate: boolean;
  /** It answered as a source does: with the file, or that there is nothing newer. */
  hasAnswered = false;
  /** There was a connection to it. */
  isReached = false;
  readonly #options: HttpSourceOptions;

  constructor(options: HttpSourceOptions) {
    this.kind = options.kind;
    this.name = options.name;
    this.key = options.url;
    this.isPrivate = options.isPrivate ?? false;
    this.#options = options;
  }

  async open(from: number, size: number | null, signal: AbortSignal): Promise<SourceStream> {
    const { last, headers } = this.#options;
    const isPart = from > 0 || last !== undefined;
    const range = isPart ? { "Range": `bytes=${from}-${last ?? ""}` } : {};
    const answer = await this.#ask("GET", range, signal);
    try {
      const isAsked = "If-Modified-Since" in headers || "If-None-Match" in headers;
      if (answer.status === 304 && isAsked) {
        this.hasAnswered = true;
        throw new SourceFailure("unmodified", "has nothing newer");
      }
      const stream = new HttpStream(answer, from, size, last ?? null, isPart);
      this.hasAnswered = true;
      return stream;
    } catch (error) {
      answer.close();
      throw error;
    }
  }

  /**
   * Asks for the length of the file and its `Last-Modified`.
   *
   * @throws {SourceFailure}
   */
  async head(signal: AbortSignal): Promise<{ size: number; lastModified: string | null }> {
    const answer = await this.#ask("HEAD", {}, signal);
    answer.close();
    refuseOtherThan(200, answer);
    if (answer.length === null) throw lengthless();
    return { size: answer.length, lastModified: answer.headers.get("last-modified") ?? null };
  }

  /** Sends the request, and follows a mirror's redirects. */
  async #ask(
    method: "GET" | "HEAD",
    more: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<FileAnswer> {
    const { url, client, authorities, self } = this.#options;
    const headers = { ...this.#options.headers, ...more };
    const trusted = authorities === undefined ? {} : { authorities };
    const request = { method, headers, signal, contact: this, ...trusted };
    try {
      return self === null
        ? await client.request({ ...request, url: new URL(url) })
        : await requestMirror(url, { ...request, client, self });
    } catch (error) {
      if (error instanceof RedirectRefused) throw refused(error.message);
      if (error instanceof Unreachable) throw new SourceFailure("unreachable", error.message);
      const message = error instanceof HttpError ? error.message : "cannot be asked";
      throw new SourceFailure("broken", message);
    }
  }
}

/** The body of an answer whose head promises the file that was asked for. */
class HttpStream implements SourceStream {
  readonly from: number;
  readonly size: number;
  readonly lastModified: string | null;
  readonly via: readonly string[];
  readonly #answer: FileAnswer;

  constructor(
    answer: FileAnswer,
    from: number,
    size: number | null,
    last: number | null,
    isPart: boolean,
  ) {
    const { status, length } = answer;
    if (!isPart || status === 200) {
      // A server that knows no ranges sends all of it, which the reader of this stream skips.
      refuseOtherThan(200, answer);
      if (length === null) throw lengthless();
      this.from = 0;
      this.size = length;
    } else {
      refuseOtherThan(206, answer);
      const range = answer.headers.get("content-range") ?? "";
      const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(range);
      if (match === null) throw refused("answers with an unknown range");
      this.from = Number(match[1]);
      this.size = Number(match[3]);
      const end = last === null ? this.size - 1 : Math.min(last, this.size - 1);
      if (length === null) throw lengthless();
      if (this.from !== from || Number(match[2]) !== end || length !== end - from + 1) {
        throw refused("answers with another range");
      }
    }
    if (size !== null && this.size !== size) {
      throw refused(`has ${this.size} bytes, not ${size}`);
    }
    this.via = viaIn(answer.headers.get("via"));
    this.lastModified = answer.headers.get("last-modified") ?? null;
    this.#answer = answer;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    try {
      return await this.#answer.read(buffer);
    } catch {
      throw new SourceFailure("broken", "breaks off");
    }
  }

  close(): void {
    this.#answer.close();
  }
}

function refuseOtherThan(wanted: number, { status, headers }: FileAnswer): void {
  if (status === 404 || status === 410) throw new SourceFailure("absent", "does not have it");
  const reader = headers.get(HEADERS.try.toLowerCase()) ?? "";
  if (status === 503 && isInstance(reader)) throw new FullHolder(reader);
  if (status !== wanted) throw refused(`answers ${status}`);
  if (/^text\/html\b/i.test(headers.get("content-type") ?? "")) {
    // A captive portal, or a mirror's friendly "not found".
    throw refused("answers with a page");
  }
}

/** The names in a `Via` field (RFC 9110 §7.6.3). */
function viaIn(field: string = ""): string[] {
  const names = field.split(",").map((each) => each.trim().split(/\s+/)[1] ?? "");
  return names.filter(isInstance).slice(0, MAX_VIA);
}

function refused(message: string): SourceFailure {
  return new SourceFailure("refused", message);
}

function lengthless(): SourceFailure {
  return new SourceFailure("lengthless", "answers without a length");
}
