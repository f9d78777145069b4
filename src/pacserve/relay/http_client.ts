/**
 * Requests for files to peers and mirrors, by HTTP/1.1 over a connection of our own.
 *
 * `fetch` decodes what is compressed, keeps no time limits, and does not try the next address of a
 * host whose first one is unreachable. `node:http` reads in pieces of 64 KiB, which is half as fast as
 * reading into a buffer of 256 KiB (measured: 0.7 against 1.6 GB/s). A body is only given as bytes
 * with a known length: the relay uses no other answer.
 */

import type { Proxies, Proxy } from "./proxies.ts";

/** A source did not answer as HTTP wants it, or the connection failed. */
export class HttpError extends Error {
  override readonly name: string = "HttpError";
}

/** What is asked. */
export interface FileRequest {
  readonly method: "GET" | "HEAD";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** PEM certificates that are trusted beside the system's. */
  readonly authorities?: readonly string[];
  /** Closes the connection, whatever it is doing. */
  readonly signal: AbortSignal;
  /** Told as soon as there is a connection. */
  readonly contact?: { isReached: boolean };
}

/** The longest head of an answer, in bytes. */
const MAX_HEAD = 16 * 1024;
/** Interim answers (1xx) before the final one. */
const MAX_INTERIM = 8;
/** Connections that are kept for the next request to the same server, and for how long (ms). */
const MAX_IDLE = 5;
const IDLE_TIME = 10_000;

type Timer = ReturnType<typeof setTimeout>;

/** Sends requests, and keeps connections for the next ones. */
export class FileClient {
  readonly #idle = new Map<string, { conn: Deno.Conn; timer: Timer }[]>();
  readonly #proxies: Proxies | null;

  /** @param proxies through which requests go; null: servers are asked directly. */
  constructor(proxies: Proxies | null = null) {
    this.#proxies = proxies;
  }

  /**
   * Sends a request and reads the head of the answer.
   *
   * @throws {HttpError} when there is no answer of HTTP.
   */
  async request(request: FileRequest): Promise<FileAnswer> {
    const route = this.#routeTo(request.url);
    const kept = this.#take(route.key);
    if (kept !== null) {
      try {
        return await this.#exchange(kept, request, route);
      } catch (error) {
        // The server may have closed a kept connection in the very moment that it was used.
        if (request.signal.aborted || !(error instanceof NoAnswer)) throw error;
      }
    }
    return await this.#exchange(await connect(request, route), request, route);
  }

  /** Closes the connections that are kept. */
  close(): void {
    for (const each of this.#idle.values()) {
      for (const { conn, timer } of each) {
        clearTimeout(timer);
        closeQuietly(conn);
      }
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

  async #exchange(conn: Deno.Conn, request: FileRequest, route: Route): Promise<FileAnswer> {
    const close = (): void => closeQuietly(conn);
    if (request.contact !== undefined) request.contact.isReached = true;
    if (request.signal.aborted) {
      close();
      throw new HttpError("was not asked");
    }
    request.signal.addEventListener("abort", close, { once: true });
    try {
      await writeAll(conn, new TextEncoder().encode(formatRequest(request, route)));
      const { head, rest } = await readHead(conn);
      if (route.proxy !== null && head.status === 407) throw new Unreachable(NO_CREDENTIALS);
      return new FileAnswer(request, head, rest, conn, () => this.#keep(route.key, conn));
    } catch (error) {
      close();
      if (error instanceof HttpError) throw error;
      throw new NoAnswer("broke the connection off");
    } finally {
      // The answer listens itself. Later another request may have the connection.
      request.signal.removeEventListener("abort", close);
    }
  }

  #take(key: string): Deno.Conn | null {
    const entry = this.#idle.get(key)?.pop();
    if (entry === undefined) return null;
    clearTimeout(entry.timer);
    return entry.conn;
  }

  #keep(key: string, conn: Deno.Conn): void {
    const entries = this.#idle.get(key) ?? [];
    if (entries.length >= MAX_IDLE) return closeQuietly(conn);
    const timer = setTimeout(() => {
      entries.splice(entries.findIndex((entry) => entry.conn === conn), 1);
      if (entries.length === 0) this.#idle.delete(key);
      closeQuietly(conn);
    }, IDLE_TIME);
    entries.push({ conn, timer });
    this.#idle.set(key, entries);
  }
}

/** No byte of an answer came. */
class NoAnswer extends HttpError {}

/** The final answer to a request. Whoever has it reads its body to the end or closes it. */
export class FileAnswer {
  readonly status: number;
  /** Names in lower case; a repeated field has its values joined by `, `. */
  readonly headers: ReadonlyMap<string, string>;
  /** Bytes of the body; null when the answer does not say (chunked, or until it closes). */
  readonly length: number | null;
  readonly #conn: Deno.Conn;
  readonly #keep: (() => void) | null;
  readonly #signal: AbortSignal;
  readonly #abort = (): void => this.close();
  #rest: Uint8Array;
  #left: number;
  #closed = false;

  /** Made by {@link FileClient.request}. */
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
    // More bytes than the answer may have: what follows is no answer to anything.
    const isClean = rest.length <= this.#left && this.#left !== Infinity;
    this.#keep = isClean && head.keepAlive ? keep : null;
    this.#signal = request.signal;
    request.signal.addEventListener("abort", this.#abort, { once: true });
    if (this.#left === 0) this.#end();
  }

  /**
   * Reads a piece of the body.
   *
   * @returns bytes that were read, or null at the end.
   * @throws {HttpError} when the connection breaks before it.
   */
  async read(buffer: Uint8Array): Promise<number | null> {
    if (this.#left === 0) return null;
    const wanted = buffer.subarray(0, Math.min(buffer.length, this.#left));
    const count = this.#rest.length > 0 ? this.#takeRest(wanted) : await this.#receive(wanted);
    this.#left -= count;
    if (this.#left === 0) this.#end();
    return count;
  }

  /** Ends it; a reading under way throws. Again does no harm. */
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
      // As the end of the connection below.
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

/** How a server is reached. */
interface Route {
  /** The same for requests that can use the same connection. */
  readonly key: string;
  readonly proxy: Proxy | null;
  /** The proxy only passes bytes on (CONNECT, RFC 9110 §9.3.6). */
  readonly isTunnel: boolean;
}

const NO_CREDENTIALS = "is behind a proxy that wants other credentials";

async function connect(request: FileRequest, { proxy }: Route): Promise<Deno.Conn> {
  const { url, authorities, signal } = request;
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const isSecure = url.protocol === "https:";
  const port = url.port === "" ? (isSecure ? 443 : 80) : Number(url.port);
  const caCerts = authorities === undefined ? {} : { caCerts: [...authorities] };
  const tls = { hostname, alpnProtocols: ["http/1.1"], ...caCerts };
  const toProxy = proxy === null ? null : await connectProxy(proxy, signal);
  try {
    if (toProxy !== null) {
      if (!isSecure) return toProxy;
      await openTunnel(toProxy, proxy, url, port, signal);
      return await shakeHands(await Deno.startTls(toProxy, tls), signal);
    }
    if (!isSecure) return await Deno.connect({ hostname, port, signal });
    return await shakeHands(await untilAborted(Deno.connectTls({ port, ...tls }), signal), signal);
  } catch (error) {
    if (toProxy !== null) closeQuietly(toProxy);
    if (error instanceof Unreachable) throw error;
    throw new Unreachable(reasonOf(error));
  }
}

async function shakeHands(conn: Deno.TlsConn, signal: AbortSignal): Promise<Deno.TlsConn> {
  try {
    await untilAborted(conn.handshake(), signal);
    return conn;
  } catch (error) {
    closeQuietly(conn);
    throw error;
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

/** Has the proxy pass bytes on to the server. */
async function openTunnel(
  conn: Deno.Conn,
  proxy: Proxy | null,
  { hostname }: URL,
  port: number,
  signal: AbortSignal,
): Promise<void> {
  const target = `${hostname}:${port}`;
  const lines = [`CONNECT ${target} HTTP/1.1`, `Host: ${target}`, ...credentialsFor(proxy)];
  const exchange = async (): Promise<Head> => {
    await writeAll(conn, new TextEncoder().encode(lines.join("\r\n") + "\r\n\r\n"));
    return (await readHead(conn)).head;
  };
  const { status } = await untilAborted(exchange(), signal);
  if (status === 407) throw new Unreachable(NO_CREDENTIALS);
  if (status >= 300) throw new Unreachable(`is behind a proxy that answers ${status}`);
}

/** There is no connection to the server. */
export class Unreachable extends HttpError {}

/** A connection that comes when nobody waits for it any more is closed. */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(new HttpError("does not answer"));
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } catch (error) {
    promise.then((late) => closeQuietly(late as Deno.Conn | undefined), () => {});
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
    aborted.catch(() => {});
  }
}

/** One of a few phrases: the runtime's own has the address in it. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : "";
  if (error instanceof Deno.errors.ConnectionRefused) return "refuses connections";
  if (/certificate/i.test(text)) return "has a bad certificate";
  if (/dns|lookup|resolve/i.test(text)) return "its name is not known";
  return "cannot be reached";
}

function formatRequest({ method, url, headers }: FileRequest, { proxy, isTunnel }: Route): string {
  // Only what the proxy itself reads has the whole address (RFC 9112 §3.2.2) and credentials for it.
  const isForProxy = proxy !== null && !isTunnel;
  const target = `${isForProxy ? url.origin : ""}${url.pathname}${url.search}`;
  const lines = [`${method} ${target} HTTP/1.1`, `Host: ${url.host}`];
  if (isForProxy) lines.push(...credentialsFor(proxy));
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  return lines.join("\r\n") + "\r\n\r\n";
}

function credentialsFor(proxy: Proxy | null): string[] {
  const authorization = proxy?.authorization ?? null;
  return authorization === null ? [] : [`Proxy-Authorization: ${authorization}`];
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
}

/** Reads to the end of the final answer's head; what came behind it belongs to the body. */
async function readHead(conn: Deno.Conn): Promise<{ head: Head; rest: Uint8Array }> {
  const buffer = new Uint8Array(MAX_HEAD);
  let length = 0;
  for (let interim = 0; interim <= MAX_INTERIM;) {
    const end = endOfHead(buffer.subarray(0, length));
    if (end === null) {
      if (length === MAX_HEAD) throw new HttpError("answers with an endless head");
      const count = await conn.read(buffer.subarray(length));
      if (count === null) {
        throw length === 0
          ? new NoAnswer("closes without an answer")
          : new HttpError("breaks off in its answer's head");
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
  throw new HttpError("answers without end");
}

/** The index behind the empty line. */
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
  if (match === null) throw new HttpError("does not speak HTTP");
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
 * @returns null without a length.
 * @throws {HttpError} for one that is none, or that differs from another in the same head.
 */
function contentLength({ headers }: Head): number | null {
  if (headers.has("transfer-encoding")) return null;
  const field = headers.get("content-length");
  if (field === undefined) return null;
  const values = new Set(field.split(",").map((value) => value.trim()));
  const [value = ""] = values;
  if (values.size !== 1 || !/^\d{1,15}$/.test(value)) throw new HttpError("has no valid length");
  return Number(value);
}

function closeQuietly(conn: Deno.Conn | undefined): void {
  try {
    conn?.close();
  } catch {
    // It is closed already.
  }
}
