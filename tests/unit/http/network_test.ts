import { Network } from "../../../src/http/network.ts";
import { isOwnRequest } from "../../../src/status/access.ts";
import { assert, assertEquals } from "../../assert.ts";
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

const lan = "10.20.30.3/24";
const other = "10.20.40.3/24";
/** A host on these networks. */
class On extends Network {
  readonly #networks: string[];

  constructor(...networks: string[]) {
    super();
    this.#networks = networks;
  }

  override networks(): string[] {
    return this.#networks;
  }
}

const network = new On("127.0.0.1/8", "::1/128", lan, other, "fd00:1::3/64");

Deno.test("Network.reaches: true for a client on this host and every peer", () => {
  for (const host of ["127.0.0.1", "localhost", "10.20.30.4", "10.20.40.4", "nas.example"]) {
    assert(network.reaches(null, host), host);
  }
});

Deno.test("Network.reaches: true for a peer on the client's network, false for one on another network of this host", () => {
  assert(network.reaches(lan, "10.20.30.4"));
  assert(!network.reaches(lan, "10.20.40.4"));
  assert(!network.reaches(lan, "fd00:1::4"));
  assert(network.reaches("fd00:1::3/64", "fd00:1::4"));
  assert(!network.reaches("fd00:1::3/64", "10.20.30.4"));
});

Deno.test("Network.reaches: only a client on this host reaches a peer on loopback", () => {
  for (const host of ["127.0.0.1", "127.9.9.9", "::1", "localhost"]) {
    assert(!network.reaches(lan, host), host);
  }
});

Deno.test("Network.reaches: true for a peer behind a router, and for one with a host name", () => {
  assert(network.reaches(lan, "192.168.7.7"));
  assert(network.reaches(lan, "nas.example"));
});

Deno.test("Network.reaches: a malformed or unknown network does not exclude peers on other networks", () => {
  assert(new On().reaches("10.0.0.1/32", "10.20.30.4"));
  assert(new On().reaches("", "10.20.30.4"));
});
