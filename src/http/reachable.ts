/** The addresses of this host at which a server can be reached. */

import type { ListenConfiguration } from "./configuration.ts";
import { isLinkLocal, isLoopback, isLoopbackHost } from "./address.ts";

/**
 * The IP addresses of this host at which clients reach a server: loopback last, without link-local
 * IPv6. If the server is bound to a single address, only that one.
 */
export function reachableAddresses(
  { address, ipv6 }: Pick<ListenConfiguration, "address" | "ipv6">,
  interfaces: readonly Pick<Deno.NetworkInterfaceInfo, "family" | "address">[],
): string[] {
  if (address !== null && address !== "0.0.0.0" && address !== "::") return [address];
  const own = interfaces
    .filter((one) => one.family === "IPv4" || (ipv6 && !isLinkLocal(one.address)))
    .map((one) => one.address);
  return [...own.filter((one) => !isLoopback(one)), ...own.filter(isLoopback)];
}

/** The URL of a server at an address: `http://[fd00::1]:8000/`. */
export function serverUrl(
  { tls }: Pick<ListenConfiguration, "tls">,
  host: string,
  port: number,
): string {
  // The interface of a link-local address is written with %25 (RFC 6874).
  const name = host.includes(":") ? `[${host.replace("%", "%25")}]` : host;
  return `${tls === null ? "http" : "https"}://${name}:${port}/`;
}

/**
 * The URL at which other machines reach this server: if `asked`, the URL of the request, has a
 * loopback host, that host is replaced. `http://localhost:8000` becomes `http://10.0.0.1:8000`.
 *
 * @param reachable as {@link reachableAddresses} returns them.
 * @returns null when no other machine reaches the server.
 */
export function urlElsewhere(asked: string, reachable: readonly string[]): string | null {
  const url = URL.parse(asked);
  if (url === null || !isLoopbackHost(url.hostname.replace(/^\[(.*)\]$/, "$1"))) return asked;
  const host = reachable.find((address) => !isLoopback(address));
  if (host === undefined) return null;
  url.hostname = host.includes(":") ? `[${host}]` : host;
  return url.origin;
}
