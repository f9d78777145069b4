/** Describes for users by which means and on which interfaces this server looks for peers. */

import { isLinkLocal, isLoopback } from "../http/address.ts";
import type { PeersConfiguration } from "./configuration.ts";
import { type InterfaceAddress, isChosen } from "./interfaces.ts";

/** The means and interfaces of discovery. */
export interface PeerPlaces {
  /** `multicast`, `multicast DNS`; empty if only static peers are used. */
  readonly means: readonly string[];
  /** Names of the interfaces that take part. */
  readonly interfaces: readonly string[];
  /** Names of the interfaces that have an address but do not take part. */
  readonly leftOut: readonly string[];
}

/** Returns the means and interfaces of a server with this configuration at present. */
export function peerPlaces(
  { multicast, mdns }: Pick<PeersConfiguration, "multicast" | "mdns">,
  all: readonly InterfaceAddress[],
): PeerPlaces {
  const choice = multicast ?? mdns;
  const means = [
    ...(multicast === null ? [] : ["multicast"]),
    ...(mdns === null ? [] : ["multicast DNS"]),
  ];
  if (choice === null) return { means, interfaces: [], leftOut: [] };
  // Multicast uses only IPv4, and clients cannot use link-local IPv6 addresses of peers.
  const addresses = all.filter(({ family, address }) => {
    if (isLoopback(address)) return false;
    return family === "IPv4" || (mdns !== null && !isLinkLocal(address));
  });
  const { interfaces, ignoredInterfaces } = choice;
  const named = (isTaken: boolean): string[] => [
    ...new Set(
      addresses.filter((one) => isChosen(one, interfaces, ignoredInterfaces) === isTaken)
        .map(({ name }) => name.split(":")[0] ?? name),
    ),
  ];
  const taken = named(true);
  return {
    means,
    interfaces: taken,
    leftOut: named(false).filter((name) => !taken.includes(name)),
  };
}

/** Returns a warning that no interface takes part, with the option that changes this; null if one does. */
export function placesWarning({ means, interfaces, leftOut }: PeerPlaces): string | null {
  const [first] = leftOut;
  if (means.length === 0 || interfaces.length > 0 || first === undefined) return null;
  return `no interface to look for peers on: ${
    leftOut.join(", ")
  } takes no part because of its name ` +
    `(--multicast-interface ${first} lets it take part)`;
}
