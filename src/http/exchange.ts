/**
 * The two things that every room works with: a request in, a reply out.
 *
 * The same two shapes serve plain TCP, TLS, TLS with client certificates, the tests and the
 * benchmarks. They are plain objects and not the web's `Request` and `Response`, because wrapping the
 * bytes of a file in a web `Response` copies them.
 */

/** Facts of the connection on which a request came in. */
export interface Connection {
  /** IP address of the other end, without a zone; an IPv4-mapped address is given as IPv4. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The IP address of this host on which the connection came in, written as {@link remoteAddress}. */
  readonly localAddress: string;
  readonly localPort: number;
  /** True under TLS. */
  readonly secure: boolean;
  /** Common name (or the whole subject) of a verified client certificate; null without one. */
  readonly clientCertificate: string | null;
}

/**
 * Header fields of a request: names in lower case; the values of a repeated field joined by `", "`
 * (RFC 9110 §5.3), or only its first value where joining means nothing (Host, Content-Length…).
 */
export type RequestHeaders = Readonly<Record<string, string | undefined>>;

/** A request as a handler sees it. */
export interface HttpRequest {
  /** In capitals: `GET`. */
  readonly method: string;
  /**
   * The request target in origin form, as it was sent: `/pkg/a%20b?x=1`. Not decoded. `*` where
   * OPTIONS asks about the server as a whole.
   */
  readonly target: string;
  readonly headers: RequestHeaders;
  /**
   * The body, to be read once at the most; empty where there is none. It throws when the client goes
   * away before all of it arrived: a body that ends without an error is complete. A chunk belongs to
   * its reader, who may do with its buffer what it likes.
   */
  readonly body: AsyncIterable<Uint8Array>;
  readonly connection: Connection;
  /** Aborted when the client goes away before the reply is sent. */
  readonly signal: AbortSignal;
}

/** Header fields of a reply. Names are written as they go on the wire: `Content-Type`. */
export type ReplyHeaders = Record<string, string | readonly string[]>;

/** Bytes `offset` (included) to `offset + length` (excluded) of an open file. */
export interface FileSlice {
  /** Closed by whoever sends the reply, also when nothing of it is sent. */
  readonly file: Deno.FsFile;
  readonly offset: number;
  readonly length: number;
}

/**
 * The body of a reply. The sender adds the length of bytes and of slices, and leaves the body out of
 * the reply to a HEAD. A stream is sent with the `Content-Length` that the handler set, else chunked;
 * its iterator is returned (so that a `finally` runs) when the client goes away. An empty first piece
 * sends the head at once. A chunk is good until the
 * next one is asked for: to keep it longer, copy it.
 */
export type ReplyBody = null | Uint8Array | FileSlice | AsyncIterable<Uint8Array>;

/**
 * What the bytes of a file come from: a directory of this host, a peer's complete copy, a file that is
 * still being downloaded (or was until now), or a mirror.
 */
export type FileSource = "cache" | "peer" | "inFlight" | "mirror";

/** The answer of a handler. */
export interface Reply {
  readonly status: number;
  readonly headers: ReplyHeaders;
  readonly body: ReplyBody;
  /** For the access log, where the answer came from: `cache`, `peer http://10.0.0.2:15678`… */
  readonly source?: string;
  /** For the counters: what the bytes of a file come from. */
  readonly fileSource?: FileSource;
  /** For the access log: the user whom digest authentication let in. */
  readonly user?: string;
}

/**
 * Answers a request. It may answer at once: on the way of a small file that is in memory, a promise
 * costs more than the work. A thrown error is logged and becomes a 500 without details.
 */
export type Handler = (request: HttpRequest) => Reply | Promise<Reply>;

/** True when the body of a reply is a slice of an open file. */
export function isFileSlice(body: ReplyBody): body is FileSlice {
  return body !== null && "file" in body;
}

/** Bytes of the body of a reply; null where that is not known before all of it was sent. */
export function bodyLength({ body, headers }: Reply): number | null {
  if (body === null) return 0;
  if (body instanceof Uint8Array) return body.byteLength;
  if (isFileSlice(body)) return body.length;
  const length = Number(headers["Content-Length"] ?? Number.NaN);
  return Number.isFinite(length) ? length : null;
}
