/** Which addresses are one client. */

import ipaddr from "ipaddr.js";

/**
 * The name of the group that an IP address belongs to: itself, or for IPv6 its /64 network, of which
 * one host can use any address. `2001:db8::1` is in `2001:db8:0:0::/64`.
 */
export function addressGroup(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (!("parts" in parsed)) return parsed.toString();
  return `${parsed.parts.slice(0, 4).map((part) => part.toString(16)).join(":")}::/64`;
}
