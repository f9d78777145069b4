/** Parses values of options. The errors name the option and the value. */

import ipaddr from "ipaddr.js";
import { UsageError } from "../../failure.ts";
import { isLinkLocal, unmappedNetwork } from "../../http/address.ts";
import { isFileName } from "../../quickserve/visibility.ts";
import type { ParsedOptions } from "../parse.ts";

/**
 * Returns the value of an option that takes a whole number, or `fallback` when it was not given.
 *
 * @throws {UsageError} when it is not a whole number from `least` to `most`.
 */
export function numberValue(
  options: ParsedOptions,
  name: string,
  fallback: number,
  least: number,
  most: number,
): number {
  const text = options.value(name);
  if (text === undefined) return fallback;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw new UsageError(`--${name}: "${text}" is not a whole number from ${least} to ${most}`);
  }
  return value;
}

/** The letters for powers of 1024, in order. */
const POWERS = "KMGT";

/** Returns the number of bytes in a size such as `1500`, `100M`, `4G` or `4GiB`. */
export function sizeValue(option: string, text: string): number {
  const [, digits, letter] = /^(\d+)(?:([KMGT])(?:i?B)?)?$/i.exec(text) ?? [];
  if (digits === undefined) {
    throw new UsageError(`${option}: "${text}" is not a size (for example 500M or 4G)`);
  }
  const power = letter === undefined ? 0 : POWERS.indexOf(letter.toUpperCase()) + 1;
  return Number(digits) * 1024 ** power;
}

/** Checks that a value is the name of a file, without a directory. */
export function fileNameValue(option: string, text: string): string {
  if (!isFileName(text)) {
    throw new UsageError(`${option}: "${text}" is not the name of a file (without a directory)`);
  }
  return text;
}

/** Checks that a value is the name of a host (RFC 1123 §2.1), without scheme or port. */
export function hostNameValue(option: string, text: string): string {
  if (!/^(?:[a-z\d_](?:[a-z\d_-]*[a-z\d_])?\.?)+$/i.test(text)) {
    throw new UsageError(`${option}: "${text}" is not the name of a host (for example files.lan)`);
  }
  return text;
}

/** Checks that a value is an IP address. */
export function addressValue(option: string, text: string): string {
  if (!ipaddr.isValid(text)) throw new UsageError(`${option}: "${text}" is not an IP address`);
  return text;
}

/** Checks that a value is the IPv4 address of a multicast group (224.0.0.0/4). */
export function multicastGroupValue(option: string, text: string): string {
  if (
    !ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv4.parse(text).range() !== "multicast"
  ) {
    throw new UsageError(`${option}: "${text}" is not an IPv4 multicast group (224.0.0.0/4)`);
  }
  return text;
}

/**
 * Returns a network in CIDR notation. A single address becomes a network of one address, and IPv4-mapped
 * addresses become IPv4 addresses, because those of clients do, too.
 */
export function networkValue(option: string, text: string): string {
  if (ipaddr.isValidCIDR(text)) return unmappedNetwork(text);
  if (ipaddr.isValid(text)) {
    return unmappedNetwork(`${text}/${ipaddr.parse(text).kind() === "ipv4" ? 32 : 128}`);
  }
  throw new UsageError(`${option}: "${text}" is not a network (for example 10.0.0.0/8)`);
}

/**
 * Returns the address to listen on. The value is an IP address, `localhost`, or the name of an interface,
 * whose first address is used.
 *
 * @throws {UsageError} when it is something else, or an address that this machine does not have.
 */
export function listenAddressValue(option: string, text: string, ipv6: boolean): string {
  const [bare = "", zone] = text.split("%", 2);
  if (zone !== undefined || (isLinkLocal(bare) && ipaddr.isValid(bare))) {
    return linkLocalValue(option, bare, zone);
  }
  if (ipaddr.isValid(text)) return text;
  if (text.toLowerCase() === "localhost") return "127.0.0.1";
  const addresses = Deno.networkInterfaces().filter(({ name }) => name === text);
  const wanted = addresses.find(({ family }) => family === "IPv4") ??
    (ipv6 ? addresses[0] : undefined);
  if (wanted === undefined) {
    const why = addresses.length > 0
      ? "has no IPv4 address (--ipv6 allows others)"
      : "is neither an IP address nor an interface of this machine";
    throw new UsageError(`${option}: "${text}" ${why}`);
  }
  return isLinkLocal(wanted.address) ? `${wanted.address}%${wanted.name}` : wanted.address;
}

/**
 * Returns a link-local address with its interface, `fe80::1%eth0`, because all interfaces have the same
 * link-local network.
 */
function linkLocalValue(option: string, address: string, zone: string | undefined): string {
  if (!isLinkLocal(address) || !ipaddr.isValid(address)) {
    throw new UsageError(
      `${option}: only an address in fe80::/10 can be followed by % and an interface`,
    );
  }
  const wanted = ipaddr.parse(address).toString();
  const names = Deno.networkInterfaces()
    .filter((own) => isLinkLocal(own.address) && ipaddr.parse(own.address).toString() === wanted)
    .map(({ name }) => name);
  const [only] = names;
  if (only === undefined) {
    throw new UsageError(`${option}: ${address} is not an address of this machine`);
  }
  if (zone === undefined && names.length > 1) {
    const examples = names.map((name) => `${address}%${name}`).join(" or ");
    throw new UsageError(`${option}: ${address} is on several interfaces: write ${examples}`);
  }
  if (zone !== undefined && !names.includes(zone)) {
    throw new UsageError(`${option}: ${address} is not an address of the interface "${zone}"`);
  }
  return `${wanted}%${zone ?? only}`;
}

/** Returns the URL of a peer with its port and a slash at its end: `http://10.0.0.2:15678/`. */
export function peerValue(option: string, text: string, defaultPort: number): string {
  // Peers do not log in. Do not show the value in the message, because it may contain a password.
  if (/^(?:[a-z]+:\/\/)?[^/?#]*@/i.test(text)) {
    throw new UsageError(`${option}: the address of a peer must not contain a user or a password`);
  }
  const withScheme = text.includes("://") ? text : `http://${text}`;
  const url = URL.parse(withScheme);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === "") {
    throw new UsageError(
      `${option}: "${text}" is not an address such as http://10.0.0.2:${defaultPort}/`,
    );
  }
  // URL drops the default port of a scheme, therefore check the written text for a port.
  const written = /^[a-z]+:\/\/(?:\[[^\]]*\]|[^:/]*):\d+/i.test(withScheme);
  const port = url.port === "" && !written
    ? `:${defaultPort}`
    : url.port === ""
    ? ""
    : `:${url.port}`;
  return `${url.protocol}//${url.hostname}${port}${url.pathname.replace(/\/?$/, "/")}`;
}
