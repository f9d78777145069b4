/** IP addresses and hosts as text. */

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

/** True for 127.0.0.0/8, `::1` and `localhost`, which mean a different machine on each machine. */
export function isLoopback(host: string): boolean {
  return /^127\.\d+\.\d+\.\d+$/.test(host) || host === "::1" || host === "localhost";
}

/** True for fe80::/10 (RFC 4291 §2.5.6): such an address can be on two links, of two machines. */
export function isLinkLocal(address: string): boolean {
  return /^fe[89ab][\da-f]:/i.test(address);
}

/** True when the host of a URL, a name or an address, means the machine on which the URL is used. */
export function isLoopbackHost(host: string): boolean {
  return isLoopback(host) && ipaddr.isValid(host) || host === "localhost" ||
    host.endsWith(".localhost");
}

/** The length of `::ffff:0:0/96`, the network of the IPv4-mapped addresses (RFC 4291 §2.5.5.2). */
const MAPPED_LENGTH = 96;

/**
 * True when an IP address is in a network (CIDR); false for a host name or a malformed network. An
 * IPv4-mapped IPv6 address (`::ffff:10.0.0.7`) means the IPv4 address.
 */
export function isInNetwork(host: string, network: string): boolean {
  if (!ipaddr.isValid(host) || !ipaddr.isValidCIDR(network)) return false;
  const address = ipaddr.process(host);
  const [base, length] = ipaddr.parseCIDR(unmappedNetwork(network));
  return address.kind() === base.kind() && address.match(base, length);
}

/** Returns the IPv4 network of one of IPv4-mapped addresses (`::ffff:10.0.0.0/104`); any other unchanged. */
export function unmappedNetwork(network: string): string {
  if (!network.includes(":")) return network;
  const [base, length] = ipaddr.parseCIDR(network);
  const isMapped = "parts" in base && base.isIPv4MappedAddress() && length >= MAPPED_LENGTH;
  return isMapped ? `${base.toIPv4Address()}/${length - MAPPED_LENGTH}` : network;
}

/**
 * The name of the group that an IP address is counted in: an IPv4 address by itself, an IPv6 address
 * with its /64 network, because one host can use all addresses of a /64. `2001:db8::1` is in
 * `2001:db8:0:0::/64`.
 */
export function addressGroup(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (!("parts" in parsed)) return parsed.toString();
  return `${parsed.parts.slice(0, 4).map((part) => part.toString(16)).join(":")}::/64`;
}
