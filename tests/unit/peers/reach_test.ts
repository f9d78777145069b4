import { reaches } from "../../../src/peers/finder.ts";
import { assert } from "../../assert.ts";

const lan = "10.20.30.3/24";
const other = "10.20.40.3/24";
const networks = ["127.0.0.1/8", "::1/128", lan, other, "fd00:1::3/64"];

Deno.test("a client on this host reaches every peer that this host reaches", () => {
  for (const host of ["127.0.0.1", "localhost", "10.20.30.4", "10.20.40.4", "nas.example"]) {
    assert(reaches(null, networks, host), host);
  }
});

Deno.test("a client reaches peers on its own network, and none on another one of ours", () => {
  assert(reaches(lan, networks, "10.20.30.4"));
  assert(!reaches(lan, networks, "10.20.40.4"));
  assert(!reaches(lan, networks, "fd00:1::4"));
  assert(reaches("fd00:1::3/64", networks, "fd00:1::4"));
  assert(!reaches("fd00:1::3/64", networks, "10.20.30.4"));
});

Deno.test("no client but one on this host reaches a peer on loopback", () => {
  for (const host of ["127.0.0.1", "127.9.9.9", "::1", "localhost"]) {
    assert(!reaches(lan, networks, host), host);
  }
});

Deno.test("what lies behind a router, and what has a name, is reached by all", () => {
  assert(reaches(lan, networks, "192.168.7.7"));
  assert(reaches(lan, networks, "nas.example"));
});

Deno.test("a network that is none, or is not known any more, keeps nobody from peers elsewhere", () => {
  assert(reaches("10.0.0.1/32", [], "10.20.30.4"));
  assert(reaches("", [], "10.20.30.4"));
});
