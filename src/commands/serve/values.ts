/** Values of options: what is not meant is refused with the option's name. */

import ipaddr from "ipaddr.js";
import { UsageError } from "../../failure.ts";
import { isFileName } from "../../quickserve/visibility.ts";
import type { ParsedOptions } from "../parse.ts";

/** A whole number within bounds, or `fallback` when the option was not given. */
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
    throw new UsageError(`--${name}: "${text}" is no whole number from ${least} to ${most}`);
  }
  return value;
}

/** Powers of 1024 by their letters. */
const POWERS = "KMGT";

/** A number of bytes: `1500`, `100M`, `4G`, `4GiB`. */
export function sizeValue(option: string, text: string): number {
  const [, digits, letter] = /^(\d+)(?:([KMGT])(?:i?B)?)?$/i.exec(text) ?? [];
  if (digits === undefined) {
    throw new UsageError(`${option}: "${text}" is no size (for example 500M or 4G)`);
  }
  const power = letter === undefined ? 0 : POWERS.indexOf(letter.toUpperCase()) + 1;
  return Number(digits) * 1024 ** power;
}

/** A name of a file, which is no path. */
export function fileNameValue(option: string, text: string): string {
  if (!isFileName(text)) throw new UsageError(`${option}: "${text}" is no name of a file`);
  return text;
}

/** A host's name (RFC 1123 §2.1), without scheme or port. */
export function hostNameValue(option: string, text: string): string {
  if (!/^(?:[a-z\d_](?:[a-z\d_-]*[a-z\d_])?\.?)+$/i.test(text)) {
    throw new UsageError(`${option}: "${text}" is no name of a host (for example files.lan)`);
  }
  return text;
}

/** An IP address. */
export function addressValue(option: string, text: string): string {
  if (!ipaddr.isValid(text)) throw new UsageError(`${option}: "${text}" is no IP address`);
  return text;
}

/** An IPv4 address of a multicast group (224.0.0.0/4). */
export function multicastGroupValue(option: string, text: string): string {
  if (
    !ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv4.parse(text).range() !== "multicast"
  ) {
    throw new UsageError(`${option}: "${text}" is no IPv4 multicast group (224.0.0.0/4)`);
  }
  return text;
}

/** A network in CIDR notation; a single address is a network of itself. */
export function networkValue(option: string, text: string): string {
  if (ipaddr.isValidCIDR(text)) return text;
  if (ipaddr.isValid(text)) return `${text}/${ipaddr.parse(text).kind() === "ipv4" ? 32 : 128}`;
  throw new UsageError(`${option}: "${text}" is no network (for example 10.0.0.0/8)`);
}

/**
 * The address to listen on: an IP address, `localhost`, or the first one of the interface of that name.
 *
 * @throws {UsageError} when it is none of these.
 */
export function listenAddressValue(option: string, text: string, ipv6: boolean): string {
  const [bare = "", zone] = text.split("%", 2);
  if (zone !== undefined || isLinkLocal(bare)) return linkLocalValue(option, bare, zone);
  if (ipaddr.isValid(text)) return text;
  if (text === "localhost") return "127.0.0.1";
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

/** A link-local address with its interface, `fe80::1%eth0`: every interface has the same network. */
function linkLocalValue(option: string, address: string, zone: string | undefined): string {
  if (!isLinkLocal(address)) {
    throw new UsageError(`${option}: only an address in fe80::/10 has an interface behind a %`);
  }
  const wanted = ipaddr.parse(address).toString();
  const names = Deno.networkInterfaces()
    .filter((own) => isLinkLocal(own.address) && ipaddr.parse(own.address).toString() === wanted)
    .map(({ name }) => name);
  const [only] = names;
  if (only === undefined) {
    throw new UsageError(`${option}: ${address} is no address of this machine`);
  }
  if (zone === undefined && names.length > 1) {
    const examples = names.map((name) => `${address}%${name}`).join(" or ");
    throw new UsageError(`${option}: ${address} is on several interfaces: say ${examples}`);
  }
  if (zone !== undefined && !names.includes(zone)) {
    throw new UsageError(`${option}: ${address} is no address of the interface "${zone}"`);
  }
  return `${wanted}%${zone ?? only}`;
}

function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/i.test(address) && ipaddr.isValid(address);
}

/** The address of a peer, with its port and a slash at its end: `http://10.0.0.2:15678/`. */
export function peerValue(option: string, text: string, defaultPort: number): string {
  // Peers know no login; and what may be a password is not to be seen in a message.
  if (/^(?:[a-z]+:\/\/)?[^/?#]*@/i.test(text)) {
    throw new UsageError(`${option}: the address of a peer has no user and no password in it`);
  }
  const withScheme = text.includes("://") ? text : `http://${text}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === "") {
    throw new UsageError(
      `${option}: "${text}" is no address such as http://10.0.0.2:${defaultPort}/`,
    );
  }
  // URL drops a port that is the scheme's own, so look at what was written.
  const written = /^[a-z]+:\/\/(?:\[[^\]]*\]|[^:/]*):\d+/i.test(withScheme);
  const port = url.port === "" && !written
    ? `:${defaultPort}`
    : url.port === ""
    ? ""
    : `:${url.port}`;
  return `${url.protocol}//${url.hostname}${port}${url.pathname.replace(/\/?$/, "/")}`;
}
