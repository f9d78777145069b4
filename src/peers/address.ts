/** Addresses of peers, as announcements, nudges and `--peer` write them. */

import ipaddr from "ipaddr.js";

/** Where a peer answers. */
export interface PeerAddress {
  readonly scheme: "http" | "https";
  /** Name or IP address in lower case; an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Begins and ends with a slash. */
  readonly path: string;
}

const URI =
  /^(?:(https?):)?(?:\/\/)?(\[[0-9a-f:.]{2,45}\]|[a-z0-9_](?:[a-z0-9._-]{0,252}))(?::([0-9]{1,5}))?(\/[a-z0-9._~!$&'()*+,;=:@%/-]{0,255})?$/i;

/**
 * Reads the address of a server. A missing scheme means http, a missing port `defaultPort`, a missing
 * slash at the end of the path is added.
 *
 * @returns null when it is no such address: another scheme, credentials, a query, a fragment, a port
 * out of range, a path with `..` in it, or anything of unusual length.
 */
export function parsePeerAddress(text: string, defaultPort: number): PeerAddress | null {
  if (text.length > 1024) return null;
  const match = URI.exec(text);
  if (match === null) return null;
  const port = match[3] === undefined ? defaultPort : Number(match[3]);
  if (port < 1 || port > 65535) return null;
  const given = match[4] ?? "/";
  const path = given.endsWith("/") ? given : given + "/";
  const segments = path.split("/").slice(1, -1);
  if (segments.some((segment) => segment === "" || segment === "." || segment === "..")) {
    return null;
  }
  const host = (match[2] ?? "").toLowerCase();
  return {
    scheme: match[1]?.toLowerCase() === "https" ? "https" : "http",
    host: host.startsWith("[") ? host.slice(1, -1) : host,
    port,
    path,
  };
}

/**
 * The address as a URL that ends with a slash, always with its port: `http://10.0.0.2:15678/`. Two
 * addresses are the same peer when this is the same text.
 */
export function baseOf(address: PeerAddress): string {
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${address.scheme}://${host}:${address.port}${address.path}`;
}

/** True for 127.0.0.0/8, `::1` and `localhost`: an address that means another machine elsewhere. */
export function isLoopback(host: string): boolean {
  return /^127\.\d+\.\d+\.\d+$/.test(host) || host === "::1" || host === "localhost";
}

/** True for an IP address in a network (CIDR); a name, or what is no network, is in none. */
export function isInNetwork(host: string, network: string): boolean {
  if (!ipaddr.isValid(host) || !ipaddr.isValidCIDR(network)) return false;
  const address = ipaddr.parse(host);
  const [base, length] = ipaddr.parseCIDR(network);
  return address.kind() === base.kind() && address.match(base, length);
}
