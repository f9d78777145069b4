import { Network } from "../../../src/http/network.ts";
import { isOwnRequest } from "../../../src/status/access.ts";
import { assertEquals } from "../../assert.ts";
import { makeRequest } from "../../request.ts";

/** A host with a link-local address on each of two links. */
class TwoLinks extends Network {
  override interfaces(): readonly Deno.NetworkInterfaceInfo[] {
    return ["fe80::a", "fe80::b", "fd00::a"].map((address): Deno.NetworkInterfaceInfo => ({
      family: "IPv6",
      name: `eth${address.slice(-1)}`,
      address,
      netmask: "ffff:ffff:ffff:ffff::",
      scopeid: 2,
      cidr: `${address}/64`,
      mac: "02:00:00:00:00:01",
    }));
  }
}

Deno.test("Network.isOwn: a neighbour with the link-local address that this host has on another link is no program of it", () => {
  const network = new TwoLinks();
  const isOwn = (remoteAddress: string, localAddress: string): boolean => {
    const { connection } = makeRequest();
    const request = { headers: {}, connection: { ...connection, remoteAddress, localAddress } };
    return isOwnRequest(request, network);
  };
  assertEquals(isOwn("fe80::a", "fe80::b"), false);
  assertEquals(isOwn("fe80::a", "fd00::a"), false);
  assertEquals(isOwn("fe80::a", "fe80::a"), true);
  // The system takes no such address of its own from a link.
  assertEquals(isOwn("fd00::a", "fe80::a"), true);
  assertEquals(isOwn("fe80::c", "fe80::a"), false);
  assertEquals(
    network.networkOf({
      ...makeRequest().connection,
      remoteAddress: "fe80::a",
      localAddress: "fe80::b",
    }),
    "fe80::b/64",
  );
});
