/** Chooses the interfaces of this host that take part in multicast DNS. */

import { isLoopback } from "../../http/address.ts";
import type { ListenConfiguration } from "../../http/configuration.ts";
import { type InterfaceAddress, isChosen } from "../interfaces.ts";

/** An interface that takes part. */
export interface LinkInterface {
  readonly name: string;
  /** The source address of IPv4 messages; null when the interface has none. */
  readonly ipv4: string | null;
  /** The number that selects the interface for IPv6; null when it has no link-local address. */
  readonly ipv6Index: number | null;
  /** The addresses at which clients can reach the server. */
  readonly addresses: readonly string[];
  /** The networks of the interface (CIDR). */
  readonly networks: readonly string[];
}

/**
 * Returns the interfaces that take part. The loopback interface never does.
 *
 * @param chosen names or addresses of interfaces; if empty, all that are not ignored.
 * @param ignored names of interfaces, with `*` as a wildcard.
 * @param listen the addresses that the server listens on.
 */
export function mdnsInterfaces(
  all: readonly (InterfaceAddress & { readonly scopeid: number | null })[],
  chosen: readonly string[],
  ignored: readonly string[],
  listen: Pick<ListenConfiguration, "address" | "ipv6">,
): LinkInterface[] {
  const interfaces = new Map<string, typeof all>();
  for (const address of all) {
    // Linux names further addresses of an interface with a colon and a label: `eth0:1`.
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
