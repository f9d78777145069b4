/** Finds pacserve on this machine and sends requests to it. */

import { Failure, messageOf, UsageError } from "../failure.ts";
import { exists, readText } from "../files.ts";
import { PACSERVE_INCLUDE } from "../pacman/insert.ts";
import { serverAddresses } from "../pacman/server_addresses.ts";
import { DEFAULTS } from "./serve/options.ts";

/** The time limit of a request in milliseconds. */
const TIMEOUT = 5_000;

/** The greatest length of an answer in characters; every status is much shorter. */
const MAX_ANSWER = 16 * 1024 * 1024;

/** The error when no server listens at the address. */
export class NotRunning extends Failure {
  override readonly name: string = "NotRunning";
}

/** An answer of pacserve. */
export interface Answer {
  readonly status: number;
  /** The value of the `Server` field. */
  readonly server: string;
  readonly contentType: string;
  readonly text: string;
}

/**
 * Returns the addresses that pacman uses on this machine. They are those in `/etc/pacman.d/pacserve`, which
 * pacsrv uses too. Without them it is the default address.
 */
export async function pacserveAddresses(): Promise<URL[]> {
  const addresses = await exists(PACSERVE_INCLUDE)
    ? serverAddresses(await readText(PACSERVE_INCLUDE))
    : [];
  return addresses.length > 0 ? addresses : [new URL(`http://localhost:${DEFAULTS.pacserve.port}`)];
}

/**
 * Parses an address that a user wrote: a URL, a host with a port, or a port alone.
 *
 * @throws {UsageError} when the text has none of these forms.
 */
export function addressValue(text: string): URL {
  const { port } = DEFAULTS.pacserve;
  const whole = /^\d+$/.test(text)
    ? `http://localhost:${text}`
    : text.includes("://")
    ? text
    : `http://${text}`;
  const url = URL.parse(whole);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === "") {
    throw new UsageError(
      `"${text}" is neither an address such as http://localhost:${port} nor a port`,
    );
  }
  if (url.port === "" && !/:\d+(?:$|\/)/.test(whole)) url.port = String(port);
  return url;
}

/**
 * Returns the answer of the first address at which a server listens.
 *
 * @param target the path and query of the request, for example `/?page=about`.
 * @throws {NotRunning} when no server listens at any of the addresses.
 * @throws {Failure} when a server listens but does not answer.
 */
export async function askPacserve(addresses: readonly URL[], target: string): Promise<Answer> {
  for (const address of addresses) {
    for (const host of hostsOf(address)) {
      try {
        return await ask(address, host, target);
      } catch (error) {
        if (!isNotListening(error)) {
          throw new Failure(
            `cannot get an answer from pacserve at ${address.origin}: ${reasonOf(error)}`,
          );
        }
      }
    }
  }
  const where = addresses.map(({ origin }) => origin).join(" and ");
  throw new NotRunning(
    `pacserve does not run: no server listens at ${where} ("systemctl start pacserve" starts it)`,
  );
}

/** True when an error means that no server listens, or that this machine does not have the address. */
function isNotListening(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionRefused ||
    error instanceof Deno.errors.AddrNotAvailable ||
    error instanceof Deno.errors.NetworkUnreachable;
}

/**
 * Returns the hosts to try. For `localhost` it returns both loopback addresses, as pacsrv does, and does
 * not ask the resolver. With TLS it keeps the name, because the certificate must be valid for it.
 */
function hostsOf({ protocol, hostname }: URL): string[] {
  if (protocol === "http:" && hostname === "localhost") return ["127.0.0.1", "::1"];
  return [hostname.replace(/^\[|\]$/g, "")];
}

/**
 * Sends one request over a new connection. It does not use `fetch`, which would use the proxy of the
 * environment, nor `node:https`, which needs a permission that the runtime (Deno 2.9.6) cannot grant.
 */
async function ask(address: URL, host: string, target: string): Promise<Answer> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("it does not answer")), TIMEOUT);
  let connection: Deno.Conn | null = null;
  try {
    connection = await Promise.race([connect(address, host), late]);
    return await Promise.race([exchange(connection, address, target), late]);
  } finally {
    clearTimeout(timer);
    connection?.close();
  }
}

function connect({ protocol, port }: URL, hostname: string): Promise<Deno.Conn> {
  return protocol === "https:"
    ? Deno.connectTls({ hostname, port: Number(port || 443) })
    : Deno.connect({ hostname, port: Number(port || 80) });
}

/** Uses HTTP/1.0, in which an answer ends with the connection and is never sent in chunks. */
async function exchange(connection: Deno.Conn, address: URL, target: string): Promise<Answer> {
  const request = `GET ${target} HTTP/1.0\r\nHost: ${address.host}\r\n` +
    "User-Agent: pacserve-status\r\nAccept: application/json\r\n\r\n";
  await writeAll(connection, new TextEncoder().encode(request));
  const [head = "", ...body] = (await readAll(connection)).split("\r\n\r\n");
  const [, status] = /^HTTP\/1\.[01] (\d{3})\b/.exec(head) ?? [];
  if (status === undefined) throw new Error("the answer is not HTTP");
  const field = (name: string): string =>
    new RegExp(`\r\n${name}:[ \\t]*(.*)`, "i").exec(head)?.[1]?.trim() ?? "";
  return {
    status: Number(status),
    server: field("server"),
    contentType: field("content-type"),
    text: body.join("\r\n\r\n"),
  };
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
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
    if (text.length > MAX_ANSWER) {
      throw new Error(`the answer is longer than ${MAX_ANSWER} characters`);
    }
  }
}

function reasonOf(error: unknown): string {
  return messageOf(error).replace(/ \(os error \d+\)/, "");
}
