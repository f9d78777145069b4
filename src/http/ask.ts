/**
 * Sends one request to a server: for commands on this host that ask pacserve something.
 *
 * It opens its own connection, because `fetch` would use a proxy of the environment, and `node:https` needs
 * a permission that the runtime (Deno 2.9.6) cannot grant.
 */

import { Failure, messageOf } from "../failure.ts";
import { writeAll } from "../files.ts";

/** The parts of a request that differ from `GET /`. */
export interface Question {
  readonly method?: "GET" | "HEAD" | "POST";
  /** The request target; it begins with a slash. */
  readonly target?: string;
  /** The IP address to connect to; by default the address of the URL's host. */
  readonly address?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The time limit for the whole exchange in milliseconds. */
  readonly timeout?: number;
}

/** The answer of a server. */
export interface Answer {
  readonly status: number;
  /** The header fields, with names in lower case. A repeated field has its last value. */
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

/** The default time limit in milliseconds. A server on the LAN needs only a few. */
const TIMEOUT = 2_000;

/** The greatest length of an answer in characters; all answers of pacserve are shorter. */
const MAX_ANSWER = 16 << 20;

/**
 * Sends a request and returns the answer. It follows no redirect. For `localhost` it tries both loopback
 * addresses without the resolver, as curl(1) and pacman do.
 *
 * @throws {Failure} when the answer is not HTTP, too late, or too long.
 * @throws the runtime's error when there is no connection; {@link reasonOf} puts it into words.
 */
export async function ask(server: URL, question: Question = {}): Promise<Answer> {
  const name = server.hostname.replace(/^\[|\]$/g, "");
  if (question.address !== undefined || name !== "localhost") {
    return await askAt(question.address ?? name, server, question);
  }
  try {
    return await askAt("127.0.0.1", server, question);
  } catch (error) {
    if (!isNotListening(error)) throw error;
    return await askAt("::1", server, question);
  }
}

/** True for an error which means that no server listens, or that this machine lacks the address. */
export function isNotListening(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionRefused ||
    error instanceof Deno.errors.AddrNotAvailable ||
    error instanceof Deno.errors.NetworkUnreachable;
}

/** Returns the reason of an error of {@link ask} in words. */
export function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.ConnectionRefused) return "the connection is refused";
  if (error instanceof Deno.errors.ConnectionReset) return "the connection breaks off";
  return messageOf(error).replace(/ \(os error \d+\)/, "");
}

async function askAt(address: string, server: URL, question: Question): Promise<Answer> {
  const { timeout = TIMEOUT } = question;
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Failure(`no answer in ${timeout / 1000} s`)),
    timeout,
  );
  const connecting = connect(address, server);
  try {
    const connection = await Promise.race([connecting, late]);
    return await Promise.race([exchange(connection, server, question), late]);
  } finally {
    clearTimeout(timer);
    // Also close a connection that is established after the time limit.
    connecting.then((connection) => connection.close(), () => {});
  }
}

/** Connects to the address. With TLS the certificate must be valid for the name in the URL. */
async function connect(address: string, { protocol, hostname, port }: URL): Promise<Deno.Conn> {
  const isSecure = protocol === "https:";
  const connection = await Deno.connect({
    hostname: address,
    port: port === "" ? (isSecure ? 443 : 80) : Number(port),
  });
  if (!isSecure) return connection;
  const secure = await Deno.startTls(connection, { hostname: hostname.replace(/^\[|\]$/g, "") });
  await secure.handshake();
  return secure;
}

/** Uses HTTP/1.0, in which the answer ends with the connection and is never sent in chunks. */
async function exchange(
  connection: Deno.Conn,
  server: URL,
  { method = "GET", target = "/", headers = {} }: Question,
): Promise<Answer> {
  const fields = {
    "Host": server.host,
    "User-Agent": "pacserve-status",
    ...(method === "POST" ? { "Content-Length": "0" } : {}),
    ...headers,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const request = `${method} ${target} HTTP/1.0\r\n${lines.join("")}\r\n`;
  await writeAll(connection, new TextEncoder().encode(request));
  return parseAnswer(await readAll(connection));
}

function parseAnswer(text: string): Answer {
  const end = text.indexOf("\r\n\r\n");
  const [first = "", ...fields] = text.slice(0, end < 0 ? 0 : end).split("\r\n");
  const [, status] = /^HTTP\/1\.[01] (\d{3})\b/.exec(first) ?? [];
  if (status === undefined) throw new Failure("what answers there speaks no HTTP");
  const headers = new Map(fields.flatMap((field): [string, string][] => {
    const colon = field.indexOf(":");
    return colon < 1 ? [] : [[field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()]];
  }));
  return { status: Number(status), headers, text: text.slice(end + 4) };
}

async function readAll(connection: Deno.Conn): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65_536);
  let text = "";
  while (true) {
    const count = await connection.read(buffer);
    if (count === null) return text + decoder.decode();
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
    if (text.length > MAX_ANSWER) throw new Failure("the answer never ends");
  }
}

/**
 * Returns the time of the server when it sent an answer, in milliseconds since 1970; null if the answer
 * has no date.
 *
 * @param headers may have `Age`, the seconds since a cache stored the answer (RFC 9111 §5.1).
 */
export function timeOf(headers: ReadonlyMap<string, string>): number | null {
  const time = Date.parse(headers.get("date") ?? "");
  if (Number.isNaN(time)) return null;
  const age = headers.get("age") ?? "";
  const seconds = /^\d{1,9}$/.test(age) ? Number(age) : 0;
  return time + seconds * 1000;
}
