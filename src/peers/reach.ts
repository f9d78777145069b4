/** Which peers are of use to a client: it is sent there, and has to get there by itself. */

import ipaddr from "ipaddr.js";
import { isLoopback } from "./address.ts";

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
  return isIn(host, network) || !networks.some((each) => isIn(host, each));
}

function isIn(host: string, network: string): boolean {
  if (!ipaddr.isValid(host) || !ipaddr.isValidCIDR(network)) return false;
  const address = ipaddr.parse(host);
  const [base, length] = ipaddr.parseCIDR(network);
  return address.kind() === base.kind() && address.match(base, length);
}
