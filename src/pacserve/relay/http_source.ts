/** A source that provides a file over HTTP: a peer or a mirror. */

import { HEADERS, isInstance } from "../../peers/protocol.ts";
import { isMethodRefused, RedirectRefused, requestMirror } from "../mirror_request.ts";
import type { Self } from "../servers.ts";
import { type FileAnswer, type FileClient, HttpError, Unreachable } from "./http_client.ts";
import { type Source, SourceFailure, type SourceKind, type SourceStream } from "./source.ts";

/** The URL of a file, and how it is requested. */
interface HttpSourceOptions {
  readonly kind: SourceKind;
  readonly name: string;
  /** The URL of the file, with credentials. */
  readonly url: string;
  readonly client: FileClient;
  /** Header fields of each request. */
  readonly headers: Readonly<Record<string, string>>;
  /** PEM certificates that are trusted in addition to those of the system. */
  readonly authorities?: readonly string[];
  /**
   * This server. The redirects of a mirror are followed, as pacman does, except to this server. Null:
   * redirects are not followed, because a peer has no reason to send any.
   */
  readonly self: Pick<Self, "isAt"> | null;
  /** Position of the last byte (included) that is needed; left out for the file's end. */
  readonly last?: number;
  /** True when only this host may get the file. */
  readonly isPrivate?: boolean;
}

/** Thrown when a holder has the maximum number of readers of its in-flight file, and names one of them. */
export class FullHolder extends SourceFailure {
  /** The instance of that reader. */
  readonly reader: string;

  constructor(reader: string) {
    super("refused", "has the maximum number of readers");
    this.reader = reader;
  }
}

/** Maximum number of names that are read from a `Via` field. */
const MAX_VIA = 16;

/** A source that answers over HTTP. */
export class HttpSource implements Source {
  readonly kind: SourceKind;
  readonly name: string;
  readonly key: string;
  readonly isPrivate: boolean;
  /** True when the server answered with the file, or that it has no newer version (304). */
  hasAnswered = false;
  /** True when there was a connection to the server. */
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
        throw new SourceFailure("unmodified", "has no newer version");
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
   * Requests the length of the file (bytes) and its `Last-Modified`.
   *
   * @throws {SourceFailure} when there is no answer, or it has an error or no length.
   */
  async head(signal: AbortSignal): Promise<{ size: number; lastModified: string | null }> {
    const answer = await this.#ask("HEAD", {}, signal);
    answer.close();
    if (isMethodRefused(answer)) {
      const first = await new HttpSource({ ...this.#options, last: 0 }).open(0, null, signal);
      first.close();
      return first;
    }
    refuseOtherThan(200, answer);
    if (answer.length === null) throw lengthless();
    return { size: answer.length, lastModified: answer.headers.get("last-modified") ?? null };
  }

  /** Sends the request, and follows the redirects of a mirror. */
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
      const message = error instanceof HttpError ? error.message : "cannot be requested";
      throw new SourceFailure("broken", message);
    }
  }
}

/** The body of an answer. The constructor checks that the head matches the request. */
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
      // A server without support for ranges sends the whole file. The reader of this stream skips the
      // bytes that it does not need.
      refuseOtherThan(200, answer);
      if (length === null) throw lengthless();
      this.from = 0;
      this.size = length;
    } else {
      refuseOtherThan(206, answer);
      const range = answer.headers.get("content-range") ?? "";
      const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(range);
      if (match === null) throw refused("answers with an invalid Content-Range");
      this.from = Number(match[1]);
      this.size = Number(match[3]);
      const end = last === null ? this.size - 1 : Math.min(last, this.size - 1);
      if (length === null) throw lengthless();
      if (this.from !== from || Number(match[2]) !== end || length !== end - from + 1) {
        throw refused("answers with another range");
      }
    }
    // No file that pacman requests is empty.
    if (this.size === 0) throw refused("has an empty file");
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
  if (status === 404 || status === 410) throw new SourceFailure("absent", "does not have the file");
  const reader = headers.get(HEADERS.try.toLowerCase()) ?? "";
  if (status === 503 && isInstance(reader)) throw new FullHolder(reader);
  if (status !== wanted) throw refused(`answers ${status}`);
  if (/^text\/html\b/i.test(headers.get("content-type") ?? "")) {
    // A captive portal, or the "not found" page of a mirror.
    throw refused("answers with an HTML page");
  }
}

/** Returns the instances in a `Via` field (RFC 9110 §7.6.3). */
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
