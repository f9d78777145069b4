/**
 * The request that a handler gets and the reply that it returns.
 *
 * Both types are the same for plain TCP, TLS, TLS with client certificates, tests and benchmarks.
 * They are plain objects and not the web's `Request` and `Response`, because wrapping the bytes of a
 * file in a web `Response` copies them.
 */

/** Facts about the connection over which a request came. */
export interface Connection {
  /** IP address of the other end, without a zone; an IPv4-mapped address is given as IPv4. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The IP address of this host that the client connected to, written like {@link remoteAddress}. */
  readonly localAddress: string;
  readonly localPort: number;
  /** True under TLS. */
  readonly secure: boolean;
  /** Common name (or the whole subject) of a verified client certificate; null without one. */
  readonly clientCertificate: string | null;
}

/**
 * Header fields of a request: names in lower case; the values of a repeated field joined by `", "`
 * (RFC 9110 §5.3), or only its first value where a list makes no sense (Host, Content-Length…).
 */
export type RequestHeaders = Readonly<Record<string, string | undefined>>;

/** A request as a handler sees it. */
export interface HttpRequest {
  /** In capitals: `GET`. */
  readonly method: string;
  /**
   * The request target in origin form, as it was sent, not decoded: `/pkg/a%20b?x=1`. It is `*` when
   * OPTIONS asks about the whole server.
   */
  readonly target: string;
  readonly headers: RequestHeaders;
  /**
   * The body; empty when the request has none. It can be read only once. Reading throws when the
   * client goes away before all of it arrived, so a body that ends without an error is complete. The
   * reader owns the chunks, and may change their buffers.
   */
  readonly body: AsyncIterable<Uint8Array>;
  readonly connection: Connection;
  /** Aborted when the client goes away before the reply is sent. */
  readonly signal: AbortSignal;
}

/** Header fields of a reply. Names are written as they go on the wire: `Content-Type`. */
export type ReplyHeaders = Record<string, string | readonly string[]>;

/** A part of an open file: `length` bytes from `offset` on. */
export interface FileSlice {
  /** The sender of the reply closes it, also when it sends no byte of it. */
  readonly file: Deno.FsFile;
  readonly offset: number;
  readonly length: number;
}

/**
 * The body of a reply. For bytes and slices the sender adds the `Content-Length`; in the reply to a
 * HEAD it leaves the body out. A stream is sent with the `Content-Length` that the handler set, else
 * chunked. When the client goes away, the stream's iterator is closed with `return()`, so that a
 * `finally` in it runs. An empty first chunk sends the head at once. The stream may reuse the buffer
 * of a chunk when the next chunk is requested: copy a chunk to keep it longer.
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
  /** For the access log: where the file came from, such as `cache` or `peer http://10.0.0.2:15678`. */
  readonly source?: string;
  /** For the counters: the source of the bytes of a file. */
  readonly fileSource?: FileSource;
  /** For the access log: the name of the user who logged in. */
  readonly user?: string;
}

/**
 * Answers a request. It may return the reply without a promise: for a small file in memory, a promise
 * costs more time than the rest of the work. A thrown error is logged, and the client gets a 500
 * without details.
 */
export type Handler = (request: HttpRequest) => Reply | Promise<Reply>;

/** True when the body of a reply is a slice of an open file. */
export function isFileSlice(body: ReplyBody): body is FileSlice {
  return body !== null && "file" in body;
}

/** The text of the body of a request; null when it has more than `maximum` bytes. */
export async function bodyText(
  body: AsyncIterable<Uint8Array>,
  maximum: number,
): Promise<string | null> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maximum) return null;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Bytes of the body of a reply; null where that is not known before all of it was sent. */
export function bodyLength({ body, headers }: Reply): number | null {
  if (body === null) return 0;
  if (body instanceof Uint8Array) return body.byteLength;
  if (isFileSlice(body)) return body.length;
  const length = Number(headers["Content-Length"] ?? Number.NaN);
  return Number.isFinite(length) ? length : null;
}
