import type {
  MdnsConfiguration,
  MulticastConfiguration,
} from "../../../src/peers/configuration.ts";
import { IGNORED_INTERFACES } from "../../../src/peers/interfaces.ts";
import { peerPlaces, placesWarning } from "../../../src/peers/places.ts";
import { assertEquals } from "../../assert.ts";

const LOOPBACK = { name: "lo", family: "IPv4", address: "127.0.0.1", cidr: "127.0.0.1/8" } as const;
const WIRED = { name: "eth0", family: "IPv4", address: "10.0.0.1", cidr: "10.0.0.1/8" } as const;
const LABELLED = { ...WIRED, name: "eth0:1", address: "10.0.0.2" } as const;
const BRIDGE = {
  name: "br-lan",
  family: "IPv4",
  address: "10.1.0.1",
  cidr: "10.1.0.1/16",
} as const;
const IPV6 = { name: "eth1", family: "IPv6", address: "fd00::1", cidr: "fd00::1/64" } as const;
const LINK_LOCAL = {
  name: "eth2",
  family: "IPv6",
  address: "fe80::1",
  cidr: "fe80::1/64",
} as const;

const choice = (...interfaces: string[]): {
  interfaces: string[];
  ignoredInterfaces: readonly string[];
} => ({ interfaces, ignoredInterfaces: IGNORED_INTERFACES });
const multicast = (...interfaces: string[]): MulticastConfiguration => ({
  ...choice(...interfaces),
  group: "224.3.45.67",
  port: 15679,
  address: "0.0.0.0",
  interval: 300,
});
const mdns = (...interfaces: string[]): MdnsConfiguration => ({
  ...choice(...interfaces),
  hostName: "alder",
  listen: { address: null, ipv6: true },
  id: "arch",
  arch: "x86_64",
  version: "1",
});

Deno.test("peerPlaces returns the means, and the interfaces on which they are used", () => {
  const all = [LOOPBACK, WIRED, LABELLED, BRIDGE, IPV6, LINK_LOCAL];
  assertEquals(peerPlaces({ multicast: multicast(), mdns: null }, all), {
    means: ["multicast"],
    interfaces: ["eth0"],
    leftOut: ["br-lan"],
  });
  assertEquals(peerPlaces({ multicast: multicast(), mdns: mdns() }, all), {
    means: ["multicast", "multicast DNS"],
    interfaces: ["eth0", "eth1"],
    leftOut: ["br-lan"],
  });
  assertEquals(peerPlaces({ multicast: null, mdns: mdns("br-lan") }, all).interfaces, ["br-lan"]);
  assertEquals(peerPlaces({ multicast: null, mdns: null }, all).means, []);
});

Deno.test("placesWarning names an option if no interface takes part, and is null otherwise", () => {
  const warning = (...all: Parameters<typeof peerPlaces>[1]): string | null =>
    placesWarning(peerPlaces({ multicast: multicast(), mdns: null }, all));
  assertEquals(
    warning(LOOPBACK, BRIDGE),
    "no interface to look for peers on: br-lan takes no part because of its name " +
      "(--multicast-interface br-lan lets it take part)",
  );
  // A network that is not up yet is not a mistake.
  assertEquals(warning(LOOPBACK), null);
  assertEquals(warning(LOOPBACK, BRIDGE, WIRED), null);
  assertEquals(placesWarning(peerPlaces({ multicast: null, mdns: null }, [BRIDGE])), null);
});
