import { addressGroup } from "../../../src/http/address.ts";
import { assertEquals } from "../../assert.ts";

Deno.test("an IPv4 address is a group of its own, an IPv6 address is one of a /64 network", () => {
  assertEquals(addressGroup("192.0.2.1"), "192.0.2.1");
  assertEquals(addressGroup("::ffff:192.0.2.1"), "192.0.2.1");
  assertEquals(addressGroup("2001:db8:0:1::1"), "2001:db8:0:1::/64");
  assertEquals(addressGroup("nonsense"), "nonsense");
});
