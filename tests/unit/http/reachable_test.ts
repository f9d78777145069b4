import { reachableAddresses, urlElsewhere } from "../../../src/http/reachable.ts";
import { assertEquals } from "../../assert.ts";

const interfaces = [
  { family: "IPv4", address: "127.0.0.1" },
  { family: "IPv6", address: "::1" },
  { family: "IPv4", address: "10.0.0.1" },
  { family: "IPv6", address: "fe80::1" },
  { family: "IPv6", address: "fd00::1" },
] as const;

Deno.test("reachableAddresses: loopback comes last, and a bound address is the only one", () => {
  const all = { address: null, ipv6: false };
  assertEquals(reachableAddresses(all, interfaces), ["10.0.0.1", "127.0.0.1"]);
  assertEquals(reachableAddresses({ address: "::", ipv6: true }, interfaces), [
    ...["10.0.0.1", "fd00::1"],
    ...["127.0.0.1", "::1"],
  ]);
  assertEquals(reachableAddresses({ ...all, address: "10.0.0.1" }, interfaces), ["10.0.0.1"]);
});

Deno.test("urlElsewhere: a loopback host is replaced by an address of the LAN", () => {
  const lan = ["10.0.0.1", "127.0.0.1"];
  for (const host of ["localhost", "127.0.0.1", "[::1]"]) {
    assertEquals(urlElsewhere(`http://${host}:15678`, lan), "http://10.0.0.1:15678");
    assertEquals(urlElsewhere(`http://${host}:15678`, ["127.0.0.1"]), null);
  }
  assertEquals(urlElsewhere("https://localhost:1", ["fd00::1"]), "https://[fd00::1]:1");
  assertEquals(urlElsewhere("http://birch.lan:80", lan), "http://birch.lan:80");
});
