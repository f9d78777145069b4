/** Where this server looks for peers that it does not know, and by which means: for people. */

import { isLoopback } from "../http/address.ts";
import type { PeersConfiguration } from "./configuration.ts";
import { type InterfaceAddress, isChosen } from "./interfaces.ts";

/** Where peers are looked for. */
export interface PeerPlaces {
  /** `multicast`, `multicast DNS`; none where only named peers are asked. */
  readonly means: readonly string[];
  /** Names of the interfaces on which they are looked for. */
  readonly interfaces: readonly string[];
  /** Names of those that have an address and take no part. */
  readonly leftOut: readonly string[];
}

/** Where a server with this configuration looks now. */
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
  // Multicast knows IPv4 only, and a link-local IPv6 address leads no client to a peer.
  const addresses = all.filter(({ family, address }) => {
    if (isLoopback(address)) return false;
    return family === "IPv4" || (mdns !== null && !/^fe[89ab]/i.test(address));
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

/** Says that no interface is left, and which option takes one; null where there is no reason to. */
export function placesWarning({ means, interfaces, leftOut }: PeerPlaces): string | null {
  const [first] = leftOut;
  if (means.length === 0 || interfaces.length > 0 || first === undefined) return null;
  return `peers are looked for nowhere now: ${
    leftOut.join(", ")
  } takes no part because of its name ` +
    `(--multicast-interface ${first} lets it take part)`;
}
