/** Which peers are of use to a client: it is sent there, and has to get there by itself. */

import { isInNetwork, isLoopback } from "./address.ts";

/**
 * Whether a client can be expected to reach a peer.
 *
 * Where this host is on several networks, those on one need no way to the others. A peer on none of
 * them is behind a router, which is the client's as much as ours.
 *
 * @param network in which the client came in (CIDR); null for a client on this host, which reaches
 * whatever this host does.
 * @param networks of this host's interfaces (CIDR).
 * @param host the peer's name or IP address.
 */
export function reaches(
  network: string | null,
  networks: readonly string[],
  host: string,
): boolean {
  if (network === null) return true;
  if (isLoopback(host)) return false;
  return isInNetwork(host, network) || !networks.some((each) => isInNetwork(host, each));
}
