/** Peers and mirrors with faults: raw TCP servers on loopback, in the process of the test. */

import { latin1, writeAll } from "../listening.ts";

/** A request that such a server has received. */
export interface Asked {
  readonly method: string;
  /** The unchanged path of the request. */
  readonly target: string;
  readonly body: string;
  /** Positions of the first and the last requested byte. */
  readonly range: readonly [number, number | null] | null;
}

/** Answers one request. The connection is closed when the function returns. */
export type Behaviour = (
  connection: Deno.TcpConn,
  asked: Asked,
  file: Uint8Array,
) => Promise<void>;

/** A server of one file. */
export class HostileSource {
  /** URL of the file. */
  readonly url: string;
  /** The method and range of each request: `GET 0-`. */
  readonly requests: string[] = [];
  /** Number of bytes that it has sent. */
  sent = 0;
  readonly #listener: Deno.TcpListener | null;
  readonly #connections = new Set<Deno.TcpConn>();

  /** @param behaviour null when the server refuses connections. */
  constructor(file: Uint8Array, behaviour: Behaviour | null) {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.url = `http://127.0.0.1:${listener.addr.port}/pkg/file`;
    this.#listener = behaviour === null ? null : listener;
    if (behaviour === null) listener.close();
    else void this.#accept(listener, behaviour, file);
  }

  /** Number of open connections. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Closes the listener and all connections. */
  close(): void {
    this.#listener?.close();
    for (const connection of this.#connections) closeQuietly(connection);
  }

  async #accept(listener: Deno.TcpListener, behaviour: Behaviour, file: Uint8Array): Promise<void> {
    try {
      for await (const connection of listener) void this.#serve(connection, behaviour, file);
    } catch {
      // The listener was closed.
    }
  }

  async #serve(connection: Deno.TcpConn, behaviour: Behaviour, file: Uint8Array): Promise<void> {
    this.#connections.add(connection);
    try {
      const asked = await readRequest(connection);
      if (asked !== null) {
        const [from, last] = asked.range ?? [0, null];
        this.requests.push(`${asked.method} ${from}-${last ?? ""}`);
        const counted = (bytes: number): number => this.sent += bytes;
        await behaviour(counting(connection, counted), asked, file);
      }
    } catch {
      // The client has closed the connection.
    } finally {
      closeQuietly(connection);
      this.#connections.delete(connection);
    }
  }
}

/** Answers like an honest server. */
export async function honest(
  connection: Deno.TcpConn,
  asked: Asked,
  file: Uint8Array,
): Promise<void> {
  await head(connection, asked, file.length);
  if (asked.method !== "HEAD") await writeAll(connection, part(asked, file));
}

/** Returns an honest behaviour that sends this number of bytes per second. */
export function paced(bytesPerSecond: number): Behaviour {
  return async (connection, asked, file) => {
    await head(connection, asked, file.length);
    if (asked.method !== "HEAD") await trickle(connection, part(asked, file), bytesPerSecond);
  };
}

/** A name for the test, and the behaviour of the server. */
export type Fault = readonly [name: string, behaviour: Behaviour | null];

const never = (): Promise<void> => new Promise(() => {});
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Behaviours that need no other server. */
export const faults: readonly Fault[] = [
  ["refuses connections", null],
  ["closes at once", () => Promise.resolve()],
  ["resets at once", (connection) => Promise.resolve(reset(connection))],
  ["never answers", never],
  ["stops within its head", (connection) => say(connection, "HTTP/1.1 200 OK\r\nServ").then(never)],
  ["breaks off within its head", (connection) => say(connection, "HTTP/1.1 200 OK\r\nContent-")],
  ["sends an endless head", async (connection) => {
    await say(connection, "HTTP/1.1 200 OK\r\n");
    for (;;) await say(connection, `X: ${"x".repeat(1000)}\r\n`);
  }],
  ["sends its head slowly", async (connection) => {
    for (const line of ["HTTP/1.1 200 OK", "A: b", "C: d", "E: f", "G: h"]) {
      await say(connection, `${line}\r\n`);
      await wait(1500);
    }
    await never();
  }],
  ["sends 102 without end", async (connection) => {
    for (;;) {
      await say(connection, "HTTP/1.1 102 Processing\r\n\r\n");
      await wait(1000);
    }
  }],
  ["does not speak HTTP", (connection) => say(connection, "220 mail ready\r\n\r\n")],
  ["answers 500 with a page", status(500)],
  ["answers 403", status(403)],
  ["answers 404", status(404)],
  ["answers 503", status(503)],
  ["answers 416", status(416)],
  ["answers 204", (connection) => say(connection, "HTTP/1.1 204 No Content\r\n\r\n")],
  ["answers 304", (connection) => say(connection, "HTTP/1.1 304 Not Modified\r\n\r\n")],
  ["answers with a page of HTML", (connection, _asked, file) => {
    const type = "Content-Type: text/html\r\n";
    return say(
      connection,
      `HTTP/1.1 200 OK\r\n${type}Content-Length: ${file.length}\r\n\r\n<html>`,
    );
  }],
  ["redirects to itself without end", (connection) => {
    return say(connection, "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n");
  }],
  ["redirects to a file: URL", (connection) => {
    return say(connection, "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n");
  }],
  ["has an empty file", other(() => new Uint8Array())],
  ["has a truncated file", other((file) => file.subarray(0, file.length / 2))],
  [
    "has a longer file",
    other((file) => {
      const longer = new Uint8Array(file.length + 9);
      longer.set(file);
      return longer;
    }),
  ],
  ["has another build of the same length", other((file) => file.toReversed())],
  ["has other bytes at the beginning", other((file) => changed(file, 100))],
  ["has other bytes at the end", other((file) => changed(file, file.length - 100))],
  ["sends a length of 1 TB", async (connection, asked, file) => {
    await head(connection, asked, 1e12);
    await writeAll(connection, file);
    await never();
  }],
  ["sends chunks", async (connection) => {
    await say(
      connection,
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
    );
  }],
  ["sends a body without length and end", async (connection, _asked, file) => {
    await say(connection, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    for (;;) await writeAll(connection, file);
  }],
  ["sends two lengths", async (connection, _asked, file) => {
    const { length } = file;
    const two = `Content-Length: ${length}\r\nContent-Length: ${length + 1}\r\n`;
    await say(connection, `HTTP/1.1 200 OK\r\n${two}\r\n`);
    await writeAll(connection, file);
  }],
  ["sends its first byte after nine seconds", async (connection, asked, file) => {
    await head(connection, asked, file.length);
    await wait(9000);
    await writeAll(connection, part(asked, file));
  }],
  ["is frozen after its head", sends(0, "freeze")],
  ["is frozen after a byte", sends(1, "freeze")],
  ["is frozen after half", sends(0.5, "freeze")],
  ["is frozen before the last byte", sends(-1, "freeze")],
  ["breaks off after its head", sends(0, "close")],
  ["breaks off after a byte", sends(1, "close")],
  ["breaks off after half", sends(0.5, "close")],
  ["breaks off before the last byte", sends(-1, "close")],
  ["resets after half", sends(0.5, "reset")],
  ["sends 2 bytes a second", paced(2)],
  ["sends half, then 2 bytes a second", sends(0.5, "crawl")],
];

/** Returns a behaviour that redirects to another URL. */
export function redirecting(url: string): Behaviour {
  return (connection) => {
    return say(connection, `HTTP/1.1 307 Moved\r\nLocation: ${url}\r\nContent-Length: 0\r\n\r\n`);
  };
}

/** Returns a behaviour that sends another file instead of the correct one. */
export function other(make: (file: Uint8Array) => Uint8Array): Behaviour {
  return (connection, asked, file) => honest(connection, asked, make(file));
}

/** Returns a copy of the file that differs in one byte. */
function changed(file: Uint8Array, at: number): Uint8Array {
  const copy = file.slice();
  copy[at] = copy[at]! ^ 1;
  return copy;
}

function status(code: number): Behaviour {
  return (connection) => {
    const body = "<html><body>Sorry.</body></html>";
    const length = `Content-Length: ${body.length}`;
    return say(
      connection,
      `HTTP/1.1 ${code} No\r\nContent-Type: text/html\r\n${length}\r\n\r\n${body}`,
    );
  };
}

/**
 * Returns a behaviour that sends a part of the file and then fails.
 *
 * @param amount the number of bytes. A number between 0 and 1 is a share of the file, a negative one is
 * counted from the end.
 */
function sends(amount: number, then: "freeze" | "close" | "reset" | "crawl"): Behaviour {
  return async (connection, asked, file) => {
    await head(connection, asked, file.length);
    if (asked.method === "HEAD") return;
    const bytes = part(asked, file);
    const count = amount < 0
      ? bytes.length + amount
      : amount > 0 && amount < 1
      ? Math.floor(bytes.length * amount)
      : amount;
    await writeAll(connection, bytes.subarray(0, count));
    if (then === "freeze") await never();
    if (then === "crawl") await trickle(connection, bytes.subarray(count), 2);
    // Wait until the kernel has sent its buffer, because a reset discards it.
    if (then === "reset") await wait(50).then(() => reset(connection));
  };
}

async function trickle(
  connection: Deno.TcpConn,
  bytes: Uint8Array,
  bytesPerSecond: number,
): Promise<void> {
  const pause = bytesPerSecond < 20 ? 1000 / bytesPerSecond : 50;
  const size = Math.max(1, Math.round(bytesPerSecond * pause / 1000));
  const begun = performance.now();
  for (let at = 0; at < bytes.length; at += size) {
    await writeAll(connection, bytes.subarray(at, at + size));
    const due = begun + (at / size + 1) * pause;
    await wait(Math.max(0, due - performance.now()));
  }
}

function part({ range }: Asked, file: Uint8Array): Uint8Array {
  if (range === null) return file;
  return file.subarray(range[0], range[1] === null ? undefined : range[1] + 1);
}

/** Writes the head of an honest answer. */
export async function head(
  connection: Deno.TcpConn,
  { range }: Pick<Asked, "range">,
  size: number,
): Promise<void> {
  if (range === null) {
    return await say(connection, `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
  }
  const [from] = range;
  if (from >= size) return await say(connection, "HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n");
  const last = Math.min(range[1] ?? size - 1, size - 1);
  await say(
    connection,
    `HTTP/1.1 206 Partial Content\r\nContent-Range: bytes ${from}-${last}/${size}\r\n` +
      `Content-Length: ${last + 1 - from}\r\n\r\n`,
  );
}

async function say(connection: Deno.TcpConn, text: string): Promise<void> {
  await writeAll(connection, latin1(text));
}

/** Reads a request; null when the client has closed the connection. */
export async function readRequest(connection: Deno.TcpConn): Promise<Asked | null> {
  const buffer = new Uint8Array(8192);
  const decoder = new TextDecoder("latin1");
  let text = "";
  const end = (): number => text.indexOf("\r\n\r\n") + 4;
  const length = (): number => Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? 0);
  while (end() < 4 || text.length < end() + length()) {
    const count = await connection.read(buffer);
    if (count === null) return null;
    text += decoder.decode(buffer.subarray(0, count));
  }
  const range = /^range: bytes=(\d+)-(\d*)/im.exec(text);
  const [method = "", target = ""] = text.split(" ", 2);
  return {
    method,
    target,
    body: text.slice(end()),
    range: range === null ? null : [Number(range[1]), range[2] === "" ? null : Number(range[2])],
  };
}

/** Closes the connection. The kernel sends a reset if there are unread bytes. */
function reset(connection: Deno.TcpConn): void {
  closeQuietly(connection);
}

function counting(connection: Deno.TcpConn, count: (bytes: number) => void): Deno.TcpConn {
  const write = connection.write.bind(connection);
  connection.write = async (bytes) => {
    const written = await write(bytes);
    count(written);
    return written;
  };
  return connection;
}

function closeQuietly(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // The connection is already closed.
  }
}
