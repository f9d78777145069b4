/**
 * A request to one server, at one of its addresses, under any name: for programs on this host that ask
 * pacserve something.
 *
 * Over a connection of its own, because `fetch` would ask a proxy of the environment, and `node:https`
 * wants a permission that the runtime (Deno 2.9.6) cannot grant.
 */

import { Failure, messageOf } from "../failure.ts";

/** How a question differs from `GET /`. */
export interface Question {
  readonly method?: "GET" | "HEAD" | "POST";
  /** With a slash in front. */
  readonly target?: string;
  /** The IP address to connect to; without it that of the URL's host. */
  readonly address?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds for all of it. */
  readonly timeout?: number;
}

/** What came back. */
export interface Answer {
  readonly status: number;
  /** Names in lower case; of a repeated field the last value. */
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

/** Milliseconds: a server on the LAN answers in a few. */
const TIMEOUT = 2_000;

/** More than any answer has, in characters. */
const MAX_ANSWER = 16 << 20;

/**
 * Asks. A redirect is not followed. As curl(1) does, and with it pacman, `localhost` is taken for both
 * loopback addresses, whatever the resolver says.
 *
 * @throws {Failure} when what answers is no HTTP, late, or has no end.
 * @throws the runtime's error when there is no connection; {@link reasonOf} says it in plain words.
 */
export async function ask(server: URL, question: Question = {}): Promise<Answer> {
  const name = server.hostname.replace(/^\[|\]$/g, "");
  if (question.address !== undefined || name !== "localhost") {
    return await askAt(question.address ?? name, server, question);
  }
  try {
    return await askAt("127.0.0.1", server, question);
  } catch (error) {
    if (!isNobody(error)) throw error;
    return await askAt("::1", server, question);
  }
}

/** True for an error that says that nobody listens, or that this machine has no such address. */
export function isNobody(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionRefused ||
    error instanceof Deno.errors.AddrNotAvailable ||
    error instanceof Deno.errors.NetworkUnreachable;
}

/** Why there is no answer, in plain words. */
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
    // One that comes too late is closed, too.
    connecting.then((connection) => connection.close(), () => {});
  }
}

/** The certificate has to be good for the name, whichever address is asked. */
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

/** In HTTP/1.0 the answer ends with the connection, and is never in chunks. */
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
  await writeAll(connection, `${method} ${target} HTTP/1.0\r\n${lines.join("")}\r\n`);
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

async function writeAll(connection: Deno.Conn, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
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
 * The time that an answer was made at, in milliseconds since 1970; null where it does not say.
 *
 * @param headers with `Date`, and perhaps `Age`: seconds that a cache has kept the answer (RFC 9111
 * §5.1).
 */
export function timeOf(headers: ReadonlyMap<string, string>): number | null {
  const time = Date.parse(headers.get("date") ?? "");
  if (Number.isNaN(time)) return null;
  const age = headers.get("age") ?? "";
  const seconds = /^\d{1,9}$/.test(age) ? Number(age) : 0;
  return time + seconds * 1000;
}
