/**
 * Chooses the IPv4 addresses of this host for multicast, and the announcements that are from their
 * networks.
 */

import { isInNetwork } from "../http/address.ts";

/** An address of an interface, as in `Deno.networkInterfaces()`. */
export interface InterfaceAddress {
  readonly name: string;
  readonly family: "IPv4" | "IPv6";
  readonly address: string;
  /** The address with the length of its network's prefix: `10.0.0.1/8`. */
  readonly cidr: string;
}

/**
 * Names of interfaces of containers, virtual machines and VPNs. Their networks have no other machines of the
 * LAN, or have machines that must not learn of this one.
 */
export const IGNORED_INTERFACES: readonly string[] = (
  "br-* cali* cni* docker* flannel* incusbr* ipsec* lxcbr* lxdbr* nordlynx podman* ppp* " +
  "proton* tailscale* tap* tun* vb-* vboxnet* ve-* veth* virbr* vmnet* vnet* vt-* vz-* wg* " +
  "zt*"
).split(" ");

/** True when `name` matches `pattern`, in which `*` stands for any characters. */
function matchesName(pattern: string, name: string): boolean {
  return new RegExp(`^${pattern.split("*").map(RegExp.escape).join(".*")}$`).test(name);
}

/**
 * Returns the IPv4 addresses that join the group and send announcements, including the loopback address.
 *
 * @param chosen names or addresses of interfaces, which are used even if their names are ignored. If empty,
 * all interfaces that are not ignored are used.
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

/** Returns true when an address is chosen, or its interface; see {@link multicastAddresses}. */
export function isChosen(
  { name, address }: InterfaceAddress,
  chosen: readonly string[],
  ignored: readonly string[],
): boolean {
  // Linux names further addresses of an interface with a colon and a label: `eth0:1`.
  const plain = name.split(":")[0] ?? name;
  if (chosen.length > 0) return chosen.some((choice) => choice === plain || choice === address);
  return !ignored.some((pattern) => matchesName(pattern, plain));
}

/**
 * Returns true when a datagram comes from the network of an interface that does not take part. The socket
 * also receives such datagrams if another program has joined the group there, or if they were sent to this
 * host by unicast.
 *
 * @param source the source IPv4 address of the datagram.
 * @param taking the addresses that take part: the result of {@link multicastAddresses}.
 */
export function isFromElsewhere(
  source: string,
  interfaces: readonly InterfaceAddress[],
  taking: readonly string[],
): boolean {
  const around = addressesAround(source, interfaces);
  return around.length > 0 && !around.some((address) => taking.includes(address));
}

/** Returns this host's IPv4 addresses that are in the same network as another host's address. */
export function addressesNear(source: string, interfaces: readonly InterfaceAddress[]): string[] {
  const addresses = addressesAround(source, interfaces);
  return addresses.includes(source) ? [] : addresses;
}

/** Returns this host's IPv4 addresses that are in the same network as an IPv4 address. */
function addressesAround(source: string, interfaces: readonly InterfaceAddress[]): string[] {
  return interfaces.filter(({ family, cidr }) => family === "IPv4" && isInNetwork(source, cidr))
    .map(({ address }) => address);
}
