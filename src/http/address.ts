/** IP addresses as text. */

import ipaddr from "ipaddr.js";

/**
 * An address as the rest of the program writes it: without a zone (`fe80::1%eth0` → `fe80::1`), and an
 * IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) as IPv4 (`::ffff:10.0.0.1` → `10.0.0.1`).
 */
export function plainAddress(address: string): string {
  if (!address.includes(":")) return address;
  const zone = address.indexOf("%");
  const bare = zone < 0 ? address : address.slice(0, zone);
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(bare) ? bare.slice(7) : bare;
}

/** True for an IP address that only this host itself has: 127.0.0.0/8 and `::1`. */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

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
