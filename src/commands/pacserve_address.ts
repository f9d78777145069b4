/** Where pacserve is on this machine, for programs that ask it something. */

import { Failure, messageOf, UsageError } from "../failure.ts";
import { exists, readText } from "../files.ts";
import { PACSERVE_INCLUDE } from "../pacman/insert.ts";
import { serverAddresses } from "../pacman/server_addresses.ts";
import { DEFAULTS } from "./serve/options.ts";

/** Milliseconds in which it has to answer. */
const TIMEOUT = 5_000;

/** More than any status has. */
const MAX_ANSWER = 16 * 1024 * 1024;

/** Nothing answers there. */
export class NotRunning extends Failure {
  override readonly name: string = "NotRunning";
}

/** What pacserve said. */
export interface Answer {
  readonly status: number;
  /** The `Server` field. */
  readonly server: string;
  readonly contentType: string;
  readonly text: string;
}

/**
 * The addresses that pacman asks on this machine: those of `/etc/pacman.d/pacserve`, as pacsrv asks
 * them, else the default one.
 */
export async function pacserveAddresses(): Promise<URL[]> {
  const addresses = await exists(PACSERVE_INCLUDE)
    ? serverAddresses(await readText(PACSERVE_INCLUDE))
    : [];
  return addresses.length > 0 ? addresses : [new URL(`http://localhost:${DEFAULTS.pacserve.port}`)];
}

/**
 * An address that a user wrote: a URL, a host with a port, or a port alone.
 *
 * @throws {UsageError} when it is none of these.
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
    throw new UsageError(`"${text}" is no address such as http://localhost:${port}, and no port`);
  }
  if (url.port === "" && !/:\d+(?:$|\/)/.test(whole)) url.port = String(port);
  return url;
}

/**
 * Asks the first of these addresses that answers.
 *
 * @param target such as `/?page=about`.
 * @throws {NotRunning} when nobody listens at any of them.
 * @throws {Failure} when somebody does, and gives no answer.
 */
export async function askPacserve(addresses: readonly URL[], target: string): Promise<Answer> {
  for (const address of addresses) {
    for (const host of hostsOf(address)) {
      try {
        return await ask(address, host, target);
      } catch (error) {
        if (!isNobody(error)) {
          throw new Failure(`pacserve cannot be asked at ${address.origin}: ${reasonOf(error)}`);
        }
      }
    }
  }
  const where = addresses.map(({ origin }) => origin).join(" and ");
  throw new NotRunning(
    `pacserve does not run: nobody listens at ${where} ("systemctl start pacserve" starts it)`,
  );
}

/** True for an error that says that nobody listens, or that this machine has no such address. */
function isNobody(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionRefused ||
    error instanceof Deno.errors.AddrNotAvailable ||
    error instanceof Deno.errors.NetworkUnreachable;
}

/**
 * The hosts to try. As pacsrv does, `localhost` is taken for both loopback addresses whatever the
 * resolver says; a certificate, however, has to be good for the name.
 */
function hostsOf({ protocol, hostname }: URL): string[] {
  if (protocol === "http:" && hostname === "localhost") return ["127.0.0.1", "::1"];
  return [hostname.replace(/^\[|\]$/g, "")];
}

/**
 * Asks over a connection of its own: `fetch` would ask a proxy of the environment, and `node:https` wants
 * a permission that the runtime (Deno 2.9.6) cannot grant.
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

/** In HTTP/1.0 the answer ends with the connection, and is never in chunks. */
async function exchange(connection: Deno.Conn, address: URL, target: string): Promise<Answer> {
  const request = `GET ${target} HTTP/1.0\r\nHost: ${address.host}\r\n` +
    "User-Agent: pacserve-status\r\nAccept: application/json\r\n\r\n";
  await writeAll(connection, new TextEncoder().encode(request));
  const [head = "", ...body] = (await readAll(connection)).split("\r\n\r\n");
  const [, status] = /^HTTP\/1\.[01] (\d{3})\b/.exec(head) ?? [];
  if (status === undefined) throw new Error("what answers there speaks no HTTP");
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
    if (text.length > MAX_ANSWER) throw new Error("the answer never ends");
  }
}

function reasonOf(error: unknown): string {
  return messageOf(error).replace(/ \(os error \d+\)/, "");
}
