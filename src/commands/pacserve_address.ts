/** Where pacserve is on this machine, for programs that ask it something. */

import { Failure, UsageError } from "../failure.ts";
import { exists, readText } from "../files.ts";
import { type Answer, ask, isNobody, reasonOf } from "../http/ask.ts";
import { PACSERVE_INCLUDE } from "../pacman/insert.ts";
import { serverAddresses } from "../pacman/server_addresses.ts";
import { DEFAULTS } from "./serve/options.ts";

/** Milliseconds in which it has to answer. */
const TIMEOUT = 5_000;

/** Nothing answers there. */
export class NotRunning extends Failure {
  override readonly name: string = "NotRunning";
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
    try {
      const headers = { "Accept": "application/json" };
      return await ask(address, { target, headers, timeout: TIMEOUT });
    } catch (error) {
      if (!isNobody(error)) {
        throw new Failure(`pacserve cannot be asked at ${address.origin}: ${reasonOf(error)}`);
      }
    }
  }
  const where = addresses.map(({ origin }) => origin).join(" and ");
  throw new NotRunning(
    `pacserve does not run: nobody listens at ${where} ("systemctl start pacserve" starts it)`,
  );
}
