/** Finds pacserve on this machine and sends requests to it. */

import { Failure, messageOf, UsageError } from "../failure.ts";
import { exists, readText } from "../files.ts";
import { PACSERVE_INCLUDE } from "../pacman/insert.ts";
import { serverAddresses } from "../pacman/server_addresses.ts";
import { type Answer, ask, isNotListening } from "../pacserve/ask.ts";
import { DEFAULTS } from "./serve/options.ts";

/** The time limit of a request in milliseconds. */
const TIMEOUT = 5_000;

/** The error when no server listens at the address. */
export class NotRunning extends Failure {
  override readonly name: string = "NotRunning";
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
export function serverValue(text: string): URL {
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
    try {
      const headers = { "Accept": "application/json" };
      return await ask(address, { target, headers, timeout: TIMEOUT });
    } catch (error) {
      if (!isNotListening(error)) {
        throw new Failure(`the pacserve at ${address.origin} ${messageOf(error)}`);
      }
    }
  }
  const where = addresses.map(({ origin }) => origin).join(" and ");
  throw new NotRunning(
    `pacserve does not run: no server listens at ${where} ("systemctl start pacserve" starts it)`,
  );
}
