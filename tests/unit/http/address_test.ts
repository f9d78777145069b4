import { addressGroup, isInNetwork, isLoopbackHost } from "../../../src/http/address.ts";
import { assertEquals } from "../../assert.ts";

Deno.test("isLoopbackHost: true for hosts that mean the machine itself", () => {
  for (const host of ["127.0.0.1", "127.9.8.7", "::1", "localhost", "box.localhost"]) {
    assertEquals(isLoopbackHost(host), true, host);
  }
  for (const host of ["10.0.0.1", "128.0.0.1", "127.0.0.1.example", "fe80::1", "notlocalhost"]) {
    assertEquals(isLoopbackHost(host), false, host);
  }
});

Deno.test("isInNetwork: true for an address in a network of its family, false for a name", () => {
  assertEquals(isInNetwork("10.1.2.3", "10.1.0.9/16"), true);
  assertEquals(isInNetwork("fd00::7", "fd00::1/64"), true);
  assertEquals(isInNetwork("10.2.2.3", "10.1.0.9/16"), false);
  assertEquals(isInNetwork("fd00::7", "0.0.0.0/0"), false);
  assertEquals(isInNetwork("box", "0.0.0.0/0"), false);
  // IPv4-mapped addresses.
  assertEquals(isInNetwork("10.1.2.3", "::ffff:10.1.0.9/112"), true);
  assertEquals(isInNetwork("10.2.2.3", "::ffff:10.1.0.9/112"), false);
  assertEquals(isInNetwork("::ffff:10.1.2.3", "10.1.0.9/16"), true);
  assertEquals(isInNetwork("::ffff:10.1.2.3", "::/0"), false);
  assertEquals(isInNetwork("10.1.2.3", "no network"), false);
});

Deno.test("addressGroup: an IPv4 address is a group by itself, an IPv6 address belongs to its /64 network", () => {
  assertEquals(addressGroup("192.0.2.1"), "192.0.2.1");
  assertEquals(addressGroup("::ffff:192.0.2.1"), "192.0.2.1");
  assertEquals(addressGroup("2001:db8:0:1::1"), "2001:db8:0:1::/64");
  assertEquals(addressGroup("nonsense"), "nonsense");
});
