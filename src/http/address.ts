/** IP addresses as text. */

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

/** True for 127.0.0.0/8, `::1` and `localhost`: what means another machine elsewhere. */
export function isLoopback(host: string): boolean {
  return /^127\.\d+\.\d+\.\d+$/.test(host) || host === "::1" || host === "localhost";
}
