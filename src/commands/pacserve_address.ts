/** Where pacserve is on this machine, for programs that ask it something. */

import type { IncomingMessage } from "node:http";
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
 * @throws {NotRunning} when none answers.
 */
export async function askPacserve(addresses: readonly URL[], target: string): Promise<Answer> {
  let reason = "";
  for (const address of addresses) {
    for (const host of hostsOf(address)) {
      try {
        return await ask(address, host, target);
      } catch (error) {
        reason ||= messageOf(error);
      }
    }
  }
  const where = addresses.map(({ origin }) => origin).join(" and ");
  throw new NotRunning(
    `pacserve does not run at ${where} (${reason}): "systemctl start pacserve" starts it`,
  );
}

/** As pacsrv does: `localhost` is both loopback addresses, whatever the resolver says. */
function hostsOf({ hostname }: URL): string[] {
  if (hostname === "localhost") return ["127.0.0.1", "::1"];
  return [hostname.replace(/^\[|\]$/g, "")];
}

/** Through no proxy, whatever the environment says: it is on this machine. */
async function ask(address: URL, host: string, target: string): Promise<Answer> {
  const isSecure = address.protocol === "https:";
  const { request } = isSecure ? await import("node:https") : await import("node:http");
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const asked = request({
    host,
    port: address.port === "" ? (isSecure ? 443 : 80) : Number(address.port),
    path: target,
    headers: { "Host": address.host, "Accept": "application/json" },
    agent: false,
    // The certificate has to be good for the name.
    ...(isSecure ? { servername: address.hostname } : {}),
  }, (response: IncomingMessage) => {
    const chunks: Uint8Array[] = [];
    let length = 0;
    response.on("data", (chunk: Uint8Array) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_ANSWER) asked.destroy(new Error("the answer never ends"));
    });
    response.on("error", reject);
    response.on("end", () => {
      const { server, "content-type": contentType } = response.headers;
      resolve({
        status: response.statusCode ?? 0,
        server: String(server ?? ""),
        contentType: contentType ?? "",
        text: new TextDecoder().decode(Buffer.concat(chunks)),
      });
    });
  });
  asked.on("error", (error: Error) => reject(new Error(reasonOf(error))));
  const timer = setTimeout(() => asked.destroy(new Error("it does not answer")), TIMEOUT);
  asked.end();
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    asked.destroy();
  }
}

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.code === "ECONNREFUSED") return "the connection is refused";
  return error.message.replace(/ \(os error \d+\)/, "");
}
