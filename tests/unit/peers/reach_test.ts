import { reaches } from "../../../src/peers/finder.ts";
import { assert } from "../../assert.ts";

const lan = "10.20.30.3/24";
const other = "10.20.40.3/24";
const networks = ["127.0.0.1/8", "::1/128", lan, other, "fd00:1::3/64"];

Deno.test("reaches: true for a client on this host and every peer", () => {
  for (const host of ["127.0.0.1", "localhost", "10.20.30.4", "10.20.40.4", "nas.example"]) {
    assert(reaches(null, networks, host), host);
  }
});

Deno.test("reaches: true for a peer on the client's network, false for one on another network of this host", () => {
  assert(reaches(lan, networks, "10.20.30.4"));
  assert(!reaches(lan, networks, "10.20.40.4"));
  assert(!reaches(lan, networks, "fd00:1::4"));
  assert(reaches("fd00:1::3/64", networks, "fd00:1::4"));
  assert(!reaches("fd00:1::3/64", networks, "10.20.30.4"));
});

Deno.test("reaches: only a client on this host reaches a peer on loopback", () => {
  for (const host of ["127.0.0.1", "127.9.9.9", "::1", "localhost"]) {
    assert(!reaches(lan, networks, host), host);
  }
});

Deno.test("reaches: true for a peer behind a router, and for one with a host name", () => {
  assert(reaches(lan, networks, "192.168.7.7"));
  assert(reaches(lan, networks, "nas.example"));
});

Deno.test("reaches: a malformed or unknown network does not exclude peers on other networks", () => {
  assert(reaches("10.0.0.1/32", [], "10.20.30.4"));
  assert(reaches("", [], "10.20.30.4"));
});
