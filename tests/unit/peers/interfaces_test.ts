import {
  addressesNear,
  IGNORED_INTERFACES,
  type InterfaceAddress,
  isChosen,
  isFromElsewhere,
  multicastAddresses,
} from "../../../src/peers/interfaces.ts";
import { assertEquals } from "../../assert.ts";

const v4 = (name: string, address: string): InterfaceAddress => ({
  name,
  family: "IPv4",
  address,
  cidr: `${address}/24`,
});

const PRESENT: readonly InterfaceAddress[] = [
  v4("lo", "127.0.0.1"),
  { name: "eth0", family: "IPv6", address: "fe80::1", cidr: "fe80::1/64" },
  v4("eth0", "10.0.0.1"),
  v4("eth0:1", "10.0.1.1"),
  v4("wlan0", "192.168.1.5"),
  v4("docker0", "172.17.0.1"),
  v4("br-1234abcd", "172.18.0.1"),
  v4("ve-box", "192.168.77.1"),
  v4("vz-zone", "192.168.78.1"),
  v4("wg0", "10.9.0.1"),
];

Deno.test("multicastAddresses: all IPv4 addresses take part except those of containers and VPNs", () => {
  assertEquals(multicastAddresses(PRESENT, [], IGNORED_INTERFACES), [
    "127.0.0.1",
    "10.0.0.1",
    "10.0.1.1",
    "192.168.1.5",
  ]);
});

Deno.test("multicastAddresses: an interface that is chosen by name or address is never ignored", () => {
  assertEquals(multicastAddresses(PRESENT, ["eth0"], []), ["10.0.0.1", "10.0.1.1"]);
  assertEquals(multicastAddresses(PRESENT, ["192.168.1.5", "wg0"], IGNORED_INTERFACES), [
    "192.168.1.5",
    "10.9.0.1",
  ]);
  assertEquals(multicastAddresses(PRESENT, ["absent"], []), []);
});

Deno.test("isFromElsewhere: recognizes datagrams from the network of an interface that does not take part", () => {
  const taking = multicastAddresses(PRESENT, [], IGNORED_INTERFACES);
  const isElsewhere = (source: string): boolean => isFromElsewhere(source, PRESENT, taking);
  const strays = ["172.17.0.9", "10.9.0.1", "::ffff:172.17.0.9"];
  assertEquals(strays.map(isElsewhere), [true, true, true]);
  // A datagram from behind a router is accepted, because its interface cannot be determined.
  const near = ["10.0.0.9", "127.0.0.1", "10.77.0.1"];
  assertEquals(near.map(isElsewhere), [false, false, false]);
  const wide = [...PRESENT, { ...v4("tun0", "10.5.5.5"), cidr: "10.5.5.5/8" }];
  assertEquals(isFromElsewhere("10.0.0.9", wide, taking), false);
});

Deno.test("addressesNear: returns our addresses in the network of another host, and none for our own address", () => {
  assertEquals(addressesNear("10.0.0.9", PRESENT), ["10.0.0.1"]);
  assertEquals(addressesNear("10.0.0.1", PRESENT), []);
  assertEquals(addressesNear("127.0.0.1", PRESENT), []);
  assertEquals(addressesNear("203.0.113.1", PRESENT), []);
});

Deno.test("isChosen: an asterisk matches any characters", () => {
  const cases: [string, string, boolean][] = [
    ["eth0", "eth0", true],
    ["eth0", "eth01", false],
    ["br-*", "br-", true],
    ["br-*", "br0", false],
    ["*", "anything", true],
    ["*0", "eth0", true],
    ["e*h*0", "eth0", true],
    ["a*a", "a", false],
    ["a*b*c", "a-c-b", false],
    ["veth*", "myveth", false],
    ["e.h0", "eth0", false],
  ];
  for (const [pattern, name, expected] of cases) {
    assertEquals(isChosen(v4(name, "10.0.0.1"), [], [pattern]), !expected, `${pattern} ${name}`);
  }
});
