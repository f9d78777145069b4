/** Which of this host's interfaces take part in multicast DNS. */

import { isLoopback } from "../../http/address.ts";
import type { ListenConfiguration } from "../../http/configuration.ts";
import { type InterfaceAddress, isChosen } from "../interfaces.ts";

/** An interface that takes part. */
export interface LinkInterface {
  readonly name: string;
  /** The address that IPv4 messages are sent from; null where there is none. */
  readonly ipv4: string | null;
  /** The interface's number, by which IPv6 chooses it; null where there is no link-local address. */
  readonly ipv6Index: number | null;
  /** The addresses at which the server is reached. */
  readonly addresses: readonly string[];
  /** CIDR. */
  readonly networks: readonly string[];
}

/**
 * The interfaces that take part, without the loopback interface.
 *
 * @param chosen names or addresses of interfaces; empty: all that are not ignored.
 * @param ignored names of interfaces, with `*` as a wildcard.
 * @param listen where the server listens.
 */
export function mdnsInterfaces(
  all: readonly (InterfaceAddress & { readonly scopeid: number | null })[],
  chosen: readonly string[],
  ignored: readonly string[],
  listen: Pick<ListenConfiguration, "address" | "ipv6">,
): LinkInterface[] {
  const interfaces = new Map<string, typeof all>();
  for (const address of all) {
    // Linux names a second address of an interface with a label behind a colon: `eth0:1`.
    const name = address.name.split(":")[0] ?? address.name;
    interfaces.set(name, [...interfaces.get(name) ?? [], address]);
  }
  return [...interfaces].filter(([, addresses]) =>
    !addresses.some(({ address }) => isLoopback(address)) &&
    addresses.some((address) => isChosen(address, chosen, ignored))
  ).map(([name, addresses]) => ({
    name,
    ipv4: addresses.find(({ family }) => family === "IPv4")?.address ?? null,
    ipv6Index: addresses.find(({ scopeid }) => (scopeid ?? 0) > 0)?.scopeid ?? null,
    addresses: addresses.map(({ address }) => address).filter((address) =>
      isListenedOn(address, listen)
    ),
    networks: addresses.map(({ cidr }) => cidr),
  }));
}

function isListenedOn(
  own: string,
  { address, ipv6 }: Pick<ListenConfiguration, "address" | "ipv6">,
): boolean {
  if (address !== null && address !== "0.0.0.0" && address !== "::") return own === address;
  return ipv6 || !own.includes(":");
}
