/** Which of this host's IPv4 addresses take part in multicast, and whose announcements concern them. */

import { isInNetwork } from "../http/address.ts";

/** An interface's address, as `Deno.networkInterfaces()` gives it. */
export interface InterfaceAddress {
  readonly name: string;
  readonly family: "IPv4" | "IPv6";
  readonly address: string;
  /** The address with the length of its network's prefix: `10.0.0.1/8`. */
  readonly cidr: string;
}

/**
 * Names that container and virtual machine managers and VPNs give their interfaces: there are no other
 * machines of the LAN behind them, or machines that must not learn of this one.
 */
export const IGNORED_INTERFACES: readonly string[] = [
  "br-*",
  "cali*",
  "cni*",
  "docker*",
  "flannel*",
  "incusbr*",
  "ipsec*",
  "lxcbr*",
  "lxdbr*",
  "nordlynx",
  "podman*",
  "ppp*",
  "proton*",
  "tailscale*",
  "tap*",
  "tun*",
  "vboxnet*",
  "veth*",
  "virbr*",
  "vmnet*",
  "vnet*",
  "wg*",
  "zt*",
];

/** True when `name` matches `pattern`, in which `*` stands for any characters. */
function matchesName(pattern: string, name: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return pattern === name;
  if (!name.startsWith(first)) return false;
  let position = first.length;
  const last = rest.pop() ?? "";
  for (const part of rest) {
    const found = name.indexOf(part, position);
    if (found < 0) return false;
    position = found + part.length;
  }
  return name.length - last.length >= position && name.endsWith(last);
}

/**
 * The IPv4 addresses that join the group and send announcements, the loopback address among them.
 *
 * @param chosen names or addresses of interfaces; these are taken although they may be ignored by
 * name. Empty: all that are not ignored.
 * @param ignored names of interfaces, with `*` as a wildcard.
 */
export function multicastAddresses(
  interfaces: readonly InterfaceAddress[],
  chosen: readonly string[],
  ignored: readonly string[],
): string[] {
  const addresses = interfaces
    .filter((one) => one.family === "IPv4" && isChosen(one, chosen, ignored))
    .map(({ address }) => address);
  return [...new Set(addresses)];
}

/** Whether an address takes part, or its interface; see {@link multicastAddresses}. */
export function isChosen(
  { name, address }: InterfaceAddress,
  chosen: readonly string[],
  ignored: readonly string[],
): boolean {
  // Linux names a second address of an interface with a label behind a colon: `eth0:1`.
  const plain = name.split(":")[0] ?? name;
  if (chosen.length > 0) return chosen.some((choice) => choice === plain || choice === address);
  return !ignored.some((pattern) => matchesName(pattern, plain));
}

/**
 * Whether a datagram comes from the network of an interface that does not take part. The group's port
 * hears those too, if another program has joined the group there, or if they are sent to this host
 * alone.
 *
 * @param source the IPv4 address that it came from.
 * @param taking the addresses that take part, as {@link multicastAddresses} gives them.
 */
export function isFromElsewhere(
  source: string,
  interfaces: readonly InterfaceAddress[],
  taking: readonly string[],
): boolean {
  const around = addressesAround(source, interfaces);
  return around.length > 0 && !around.some((address) => taking.includes(address));
}

/** This host's IPv4 addresses in whose network another host's address is. */
export function addressesNear(source: string, interfaces: readonly InterfaceAddress[]): string[] {
  const addresses = addressesAround(source, interfaces);
  return addresses.includes(source) ? [] : addresses;
}

/** This host's IPv4 addresses in whose network an IPv4 address is. */
function addressesAround(source: string, interfaces: readonly InterfaceAddress[]): string[] {
  return interfaces.filter(({ family, cidr }) => family === "IPv4" && isInNetwork(source, cidr))
    .map(({ address }) => address);
}
