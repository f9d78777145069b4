/**
 * An HTTP/1.1 client for files of peers and mirrors, and for the commands that ask pacserve something.
 *
 * `fetch` decodes compressed bodies, has no time limits, and does not try the next address of a host whose
 * first one is unreachable. `node:http` reads pieces of 64 KiB, which is half as fast as reading into a
 * buffer of 256 KiB (measured: 0.7 against 1.6 GB/s). This client does not decode chunked bodies, because
 * the relay uses only answers with a length. Messages to peers, of which some send chunks, go through
 * `peers/client.ts`.
 */

import { connectionProblem } from "../../failure.ts";
import { writeAll } from "../../files.ts";
import type { Proxies, Proxy } from "./proxies.ts";

/** Thrown when an answer is not valid HTTP, or the connection failed. */
export class HttpError extends Error {
  override readonly name: string = "HttpError";
}

/** A request for a file. */
export interface FileRequest {
  /** A POST has no body. */
  readonly method: "GET" | "HEAD" | "POST";
  readonly url: URL;
  /** The IP address to connect to, if it is not the one of the URL's host. */
  readonly address?: string;
  /** A field `Host` replaces the one from the URL. */
  readonly headers: Readonly<Record<string, string>>;
  /** PEM certificates that are trusted in addition to those of the system. */
  readonly authorities?: readonly string[];
  /** Closes the connection at once. */
  readonly signal: AbortSignal;
  /** `isReached` is set as soon as there is a connection. */
  readonly contact?: { isReached: boolean };
}

/** Maximum size of the head of an answer in bytes. */
const MAX_HEAD = 16 * 1024;
/** Maximum number of interim answers (1xx) before the final one. */
const MAX_INTERIM = 8;
/** Maximum number of idle connections that are kept for a server, and the time (ms) for which they are. */
const MAX_IDLE = 5;
const IDLE_TIME = 10_000;

/**
 * An idle connection that is kept for the next request. It is read meanwhile, so that it is closed when the
 * server closes it or sends anything: such bytes must not be mistaken for the next answer.
 */
class KeptConnection {
  readonly conn: Deno.Conn;
  /** The first byte of the next answer. */
  readonly first: Promise<number | null>;
  readonly byte: Uint8Array = new Uint8Array(1);
  readonly #timer: ReturnType<typeof setTimeout>;

  /** @param ended called when the connection cannot be used any more, unless it was taken before. */
  constructor(conn: Deno.Conn, ended: () => void) {
    this.conn = conn;
    this.#timer = setTimeout(ended, IDLE_TIME);
    this.first = conn.read(this.byte);
    this.first.then(ended, ended);
  }

  /** Must be called before the connection is used or closed. */
  take(): this {
    clearTimeout(this.#timer);
    return this;
  }
}

/** Sends requests, and keeps the connections for later ones. */
export class FileClient {
  readonly #idle = new Map<string, KeptConnection[]>();
  readonly #proxies: Proxies | null;

  /** @param proxies for the requests; null when servers are reached directly. */
  constructor(proxies: Proxies | null = null) {
    this.#proxies = proxies;
  }

  /**
   * Sends a request and reads the head of the answer.
   *
   * @throws {HttpError} when there is no connection, or no valid answer.
   */
  async request(request: FileRequest): Promise<FileAnswer> {
    const route = this.#routeTo(request.url);
    const kept = this.#take(route.key);
    if (kept !== null) {
      try {
        return await this.#exchange(kept.conn, request, route, kept);
      } catch (error) {
        // The server may have closed the idle connection at the same moment. Try again with a new one.
        if (request.signal.aborted || !(error instanceof NoAnswer)) throw error;
      }
    }
    return await this.#exchange(await connect(request, route), request, route);
  }

  /** Closes the idle connections. */
  close(): void {
    for (const each of this.#idle.values()) {
      for (const kept of each) closeQuietly(kept.take().conn);
    }
    this.#idle.clear();
  }

  #routeTo(url: URL): Route {
    const proxy = this.#proxies?.for(url) ?? null;
    if (proxy === "unusable") throw new Unreachable("is behind a proxy that cannot be used");
    if (proxy === null) return { key: url.origin, proxy, isTunnel: false };
    const isTunnel = url.protocol === "https:";
    const key = `${proxy.hostname} ${proxy.port} ${isTunnel ? url.origin : ""}`;
    return { key, proxy, isTunnel };
  }

  async #exchange(
    conn: Deno.Conn,
    request: FileRequest,
    route: Route,
    kept: KeptConnection | null = null,
  ): Promise<FileAnswer> {
    const close = (): void => closeQuietly(conn);
    if (request.contact !== undefined) request.contact.isReached = true;
    if (request.signal.aborted) {
      close();
      throw new HttpError("is not needed any more");
    }
    request.signal.addEventListener("abort", close, { once: true });
    try {
      await writeAll(conn, new TextEncoder().encode(formatRequest(request, route)));
      const { head, rest } = await readHead(conn, kept);
      if (route.proxy !== null && head.status === 407) throw new Unreachable(NO_CREDENTIALS);
      return new FileAnswer(request, head, rest, conn, () => this.#keep(route.key, conn));
    } catch (error) {
      close();
      if (error instanceof HttpError) throw error;
      throw new NoAnswer("closed the connection");
    } finally {
      // The answer listens to the signal itself. Later, another request may use the connection.
      request.signal.removeEventListener("abort", close);
    }
  }

  #take(key: string): KeptConnection | null {
    const kept = this.#idle.get(key)?.pop();
    return kept?.take() ?? null;
  }

  #keep(key: string, conn: Deno.Conn): void {
    const entries = this.#idle.get(key) ?? [];
    if (entries.length >= MAX_IDLE) return closeQuietly(conn);
    const kept = new KeptConnection(conn, () => {
      const at = entries.indexOf(kept);
      if (at < 0) return;
      entries.splice(at, 1);
      if (entries.length === 0) this.#idle.delete(key);
      closeQuietly(kept.take().conn);
    });
    entries.push(kept);
    this.#idle.set(key, entries);
  }
}

/** Thrown when the server has not sent a byte of an answer. */
export class NoAnswer extends HttpError {}

/** The final answer to a request. The caller must read its body to the end, or close it. */
export class FileAnswer {
  readonly status: number;
  /** Header fields; the names are in lower case. The values of repeated fields are joined with `, `. */
  readonly headers: ReadonlyMap<string, string>;
  /** Length of the body in bytes; null when the answer has no `Content-Length`. */
  readonly length: number | null;
  readonly #conn: Deno.Conn;
  readonly #keep: (() => void) | null;
  readonly #signal: AbortSignal;
  readonly #abort = (): void => this.close();
  #rest: Uint8Array;
  #left: number;
  #closed = false;

  /** Called by {@link FileClient.request}. */
  constructor(
    request: FileRequest,
    head: Head,
    rest: Uint8Array,
    conn: Deno.Conn,
    keep: () => void,
  ) {
    this.status = head.status;
    this.headers = head.headers;
    const bodiless = request.method === "HEAD" || head.status === 204 || head.status === 304;
    this.length = contentLength(head);
    this.#left = bodiless ? 0 : this.length ?? Infinity;
    this.#rest = rest;
    this.#conn = conn;
    // Do not keep the connection if there are more bytes than the answer may have.
    const isClean = rest.length <= this.#left && this.#left !== Infinity;
    this.#keep = isClean && head.keepAlive ? keep : null;
    this.#signal = request.signal;
    request.signal.addEventListener("abort", this.#abort, { once: true });
    if (this.#left === 0) this.#end();
  }

  /**
   * Reads a piece of the body.
   *
   * @returns the number of bytes that were read, or null at the end.
   * @throws {HttpError} when the connection ends before the body does.
   */
  async read(buffer: Uint8Array): Promise<number | null> {
    if (this.#left === 0) return null;
    const wanted = buffer.subarray(0, Math.min(buffer.length, this.#left));
    const count = this.#rest.length > 0 ? this.#takeRest(wanted) : await this.#receive(wanted);
    this.#left -= count;
    if (this.#left === 0) this.#end();
    return count;
  }

  /** Closes the connection; a pending `read` throws. May be called more than once. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#signal.removeEventListener("abort", this.#abort);
    closeQuietly(this.#conn);
  }

  #takeRest(buffer: Uint8Array): number {
    const piece = this.#rest.subarray(0, buffer.length);
    buffer.set(piece);
    this.#rest = this.#rest.subarray(piece.length);
    return piece.length;
  }

  async #receive(buffer: Uint8Array): Promise<number> {
    let count: number | null = null;
    try {
      count = await this.#conn.read(buffer);
    } catch {
      // Handled below, like the end of the connection.
    }
    if (count !== null) return count;
    this.close();
    throw new HttpError("breaks off");
  }

  #end(): void {
    if (this.#closed) return;
    if (this.#keep === null) return this.close();
    this.#closed = true;
    this.#signal.removeEventListener("abort", this.#abort);
    this.#keep();
  }
}

interface Head {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly keepAlive: boolean;
}

/** The way to a server: directly, or through a proxy. */
interface Route {
  /** Equal for requests that can use the same connection. */
  readonly key: string;
  readonly proxy: Proxy | null;
  /** True when the proxy only forwards bytes (CONNECT, RFC 9110 §9.3.6). */
  readonly isTunnel: boolean;
}

const NO_CREDENTIALS = "is behind a proxy that requires other credentials";

async function connect(request: FileRequest, { proxy }: Route): Promise<Deno.Conn> {
  const { url, address, authorities, signal } = request;
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const isSecure = url.protocol === "https:";
  const port = url.port === "" ? (isSecure ? 443 : 80) : Number(url.port);
  let conn: Deno.Conn | undefined;
  try {
    const plain = proxy === null
      ? await Deno.connect({ hostname: address ?? hostname, port, signal })
      : await connectProxy(proxy, signal);
    conn = plain;
    if (!isSecure) return plain;
    if (proxy !== null) await openTunnel(plain, proxy, `${url.hostname}:${port}`, signal);
    const caCerts = authorities === undefined ? {} : { caCerts: [...authorities] };
    const secure = await Deno.startTls(plain, {
      hostname,
      alpnProtocols: ["http/1.1"],
      ...caCerts,
    });
    conn = secure;
    await untilAborted(secure.handshake(), signal);
    return secure;
  } catch (error) {
    closeQuietly(conn);
    if (error instanceof Unreachable) throw error;
    throw new Unreachable(connectionProblem(error), { cause: error });
  }
}

async function connectProxy(
  { hostname, port }: Proxy,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  try {
    return await Deno.connect({ hostname, port, signal });
  } catch {
    throw new Unreachable("is behind a proxy that cannot be reached");
  }
}

/** Makes the proxy forward the bytes of the connection to the server. */
async function openTunnel(
  conn: Deno.Conn,
  proxy: Proxy,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const lines = [`CONNECT ${target} HTTP/1.1`, `Host: ${target}`, ...credentialsFor(proxy)];
  const exchange = async (): Promise<Head> => {
    await writeAll(conn, new TextEncoder().encode(lines.join("\r\n") + "\r\n\r\n"));
    return (await readHead(conn)).head;
  };
  const { status } = await untilAborted(exchange(), signal);
  if (status === 407) throw new Unreachable(NO_CREDENTIALS);
  if (status >= 300) throw new Unreachable(`is behind a proxy that answers ${status}`);
}

/** Thrown when a connection to the server could not be opened. */
export class Unreachable extends HttpError {}

/** Rejects when the signal aborts. */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(new HttpError("does not answer"));
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
    aborted.catch(() => {});
    promise.catch(() => {});
  }
}

function formatRequest({ method, url, headers }: FileRequest, { proxy, isTunnel }: Route): string {
  // Only a request that the proxy itself reads has the whole URL (RFC 9112 §3.2.2) and credentials for it.
  const isForProxy = proxy !== null && !isTunnel;
  const target = `${isForProxy ? url.origin : ""}${url.pathname}${url.search}`;
  const lines = [`${method} ${target} HTTP/1.1`];
  if (isForProxy) lines.push(...credentialsFor(proxy));
  const fields = { "Host": url.host, ...headers };
  for (const [name, value] of Object.entries(fields)) lines.push(`${name}: ${value}`);
  return lines.join("\r\n") + "\r\n\r\n";
}

function credentialsFor(proxy: Proxy | null): string[] {
  const authorization = proxy?.authorization ?? null;
  return authorization === null ? [] : [`Proxy-Authorization: ${authorization}`];
}

/** Reads the head of the final answer. `rest` has the bytes after it, which belong to the body. */
async function readHead(
  conn: Deno.Conn,
  kept: KeptConnection | null = null,
): Promise<{ head: Head; rest: Uint8Array }> {
  const buffer = new Uint8Array(MAX_HEAD);
  let length = 0;
  if (kept !== null) {
    length = await kept.first ?? 0;
    buffer.set(kept.byte);
    if (length === 0) throw new NoAnswer("closed the connection without an answer");
  }
  for (let interim = 0; interim <= MAX_INTERIM;) {
    const end = endOfHead(buffer.subarray(0, length));
    if (end === null) {
      if (length === MAX_HEAD) throw new HttpError("sends a head of more than 16 KiB");
      const count = await conn.read(buffer.subarray(length));
      if (count === null) {
        throw length === 0
          ? new NoAnswer("closed the connection without an answer")
          : new HttpError("breaks off within the head of its answer");
      }
      length += count;
      continue;
    }
    const head = parseHead(new TextDecoder("latin1").decode(buffer.subarray(0, end)));
    if (head.status >= 200) return { head, rest: buffer.slice(end, length) };
    buffer.copyWithin(0, end, length);
    length -= end;
    interim++;
  }
  throw new HttpError("sends too many interim answers");
}

/** Returns the index after the empty line; null when there is no empty line yet. */
function endOfHead(bytes: Uint8Array): number | null {
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) {
    if (bytes[at + 1] === 10) return at + 2;
    if (bytes[at + 1] === 13 && bytes[at + 2] === 10) return at + 3;
  }
  return null;
}

function parseHead(text: string): Head {
  const [first = "", ...lines] = text.split(/\r?\n/);
  const match = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(first);
  if (match === null) throw new HttpError("does not answer with HTTP");
  const headers = new Map<string, string>();
  for (const line of lines) {
    if (line === "") continue;
    const field = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    if (field === null) throw new HttpError("answers with a malformed head");
    const name = field[1]!.toLowerCase();
    const before = headers.get(name);
    headers.set(name, before === undefined ? field[2]! : `${before}, ${field[2]}`);
  }
  const connection = headers.get("connection")?.toLowerCase() ?? "";
  const keepAlive = match[1] === "1" && !connection.includes("close");
  return { status: Number(match[2]), headers, keepAlive };
}

/**
 * Returns the length of the body in bytes (RFC 9112 §6.3).
 *
 * @returns null when the answer has no length.
 * @throws {HttpError} when the length is not a number, or differs from another one in the same head.
 */
function contentLength({ headers }: Head): number | null {
  if (headers.has("transfer-encoding")) return null;
  const field = headers.get("content-length");
  if (field === undefined) return null;
  const values = new Set(field.split(",").map((value) => value.trim()));
  const [value = ""] = values;
  if (values.size !== 1 || !/^\d{1,15}$/.test(value)) throw new HttpError("has an invalid length");
  return Number(value);
}

function closeQuietly(conn: Deno.Conn | undefined): void {
  try {
    conn?.close();
  } catch {
    // The connection is already closed.
  }
}
