/** The addresses of this host at which a server is reached. */

import type { ListenConfiguration } from "./configuration.ts";
import { isLoopback, isLoopbackHost } from "./address.ts";

/**
 * The IP addresses: those of this host's networks first, loopback last, no link-local IPv6. The only one
 * where the server listens on one.
 */
export function reachableAddresses(
  { address, ipv6 }: Pick<ListenConfiguration, "address" | "ipv6">,
  interfaces: readonly Pick<Deno.NetworkInterfaceInfo, "family" | "address">[],
): string[] {
  if (address !== null && address !== "0.0.0.0" && address !== "::") return [address];
  const own = interfaces
    .filter((one) => one.family === "IPv4" || (ipv6 && !/^fe[89ab]/i.test(one.address)))
    .map((one) => one.address);
  return [...own.filter((one) => !isLoopback(one)), ...own.filter(isLoopback)];
}

/** The URL of a server at an address: `http://[fd00::1]:8000/`. */
export function serverUrl(
  { tls }: Pick<ListenConfiguration, "tls">,
  host: string,
  port: number,
): string {
  return `${tls === null ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${port}/`;
}

/**
 * The server's URL as another machine has to write it, from the one with which it was asked:
 * `http://localhost:8000` is `http://10.0.0.1:8000` there.
 *
 * @param reachable as {@link reachableAddresses} gives them.
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
