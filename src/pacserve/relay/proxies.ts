/** Finds the proxy for a mirror, by the rules of curl(1). */

import ipaddr from "ipaddr.js";
import { exceptedHosts, type ProxyVariables } from "../../pacman/proxy_environment.ts";
import { basicAuthorization } from "../url_credentials.ts";

/** A proxy that is reached with plain HTTP. */
export interface Proxy {
  readonly hostname: string;
  readonly port: number;
  /** The value of `Proxy-Authorization`; null without credentials. */
  readonly authorization: string | null;
}

/** The port of a proxy whose address has none, as in curl. */
const DEFAULT_PORT = 1080;

/** The proxies that the environment names. */
export class Proxies {
  readonly #variables: ProxyVariables;
  readonly #exceptions: readonly string[];

  constructor(variables: ProxyVariables) {
    this.#variables = variables;
    this.#exceptions = exceptedHosts(variables.exceptions);
  }

  /** Returns the proxy for a URL; null when the server is reached directly. */
  for({ protocol, hostname }: URL): Proxy | "unusable" | null {
    const text = protocol === "https:" ? this.#variables.https : this.#variables.http;
    if (text === "" || isExcepted(hostname, this.#exceptions)) return null;
    return parseProxy(text) ?? "unusable";
  }
}

/**
 * Parses the address of a proxy: `http://user:password@proxy:3128`, or without scheme.
 *
 * @returns null when the address is malformed, or has another scheme (`https:`, `socks5:`…).
 */
export function parseProxy(text: string): Proxy | null {
  const [, scheme = "http", rest = ""] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/i.exec(text) ?? [];
  // With a scheme that it does not know, URL keeps the port 80.
  const url = URL.parse(`proxy://${rest}`);
  if (scheme.toLowerCase() !== "http" || url === null) return null;
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  if (hostname === "") return null;
  return {
    hostname,
    port: url.port === "" ? DEFAULT_PORT : Number(url.port),
    authorization: basicAuthorization(url),
  };
}

/** True when the host is one of the exceptions, or is in one of their domains or networks. */
function isExcepted(hostname: string, exceptions: readonly string[]): boolean {
  if (exceptions.length === 1 && exceptions[0] === "*") return true;
  const host = hostname.replace(/^\[|\]$/g, "");
  if (ipaddr.isValid(host)) return exceptions.some((each) => hasAddress(each, host));
  const name = host.replace(/\.$/, "").toLowerCase();
  return exceptions.some((each) => {
    const domain = each.replace(/^\.|\.$/g, "").toLowerCase();
    return domain !== "" && (name === domain || name.endsWith(`.${domain}`));
  });
}

/** True when the address equals the exception, or is in its network. */
function hasAddress(exception: string, host: string): boolean {
  const address = ipaddr.process(host);
  const text = exception.replace(/^\[|\]$/g, "");
  if (ipaddr.isValidCIDR(text)) {
    const [network, bits] = ipaddr.parseCIDR(text);
    return network.kind() === address.kind() && address.match(network, bits);
  }
  return ipaddr.isValid(text) && ipaddr.process(text).toString() === address.toString();
}
