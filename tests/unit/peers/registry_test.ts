import { transfersOf } from "../../../src/peers/balance.ts";
import type { PeerUrl } from "../../../src/peers/peer_url.ts";
import { type Peer, Registry } from "../../../src/peers/registry.ts";
import { assert, assertEquals } from "../../assert.ts";

const PEER_BACKOFF = { first: 2_000, max: 300_000 };
const BOUNDS = { peers: 1024, candidates: 256, perHost: 16, due: 8, probation: 600_000 };

const FACTS = { instance: null, generation: null, transfers: null, roundTrip: 1, isProof: true };
const LIFETIME = 900_000;

class Clock {
  now = 0;
}

function make(): { registry: Registry; clock: Clock } {
  const clock = new Clock();
  let draw = 0;
  const random = (): number => (draw = (draw + 0.618034) % 1);
  return { registry: new Registry({ now: () => clock.now, lifetime: LIFETIME, random }), clock };
}

function at(host: string, port = 15678): PeerUrl {
  return { scheme: "http", host, port, path: "/" };
}

function believed(registry: Registry, host: string): Peer {
  const peer = registry.heard(at(host), "announcement");
  assert(peer !== null);
  registry.answered(peer, FACTS);
  return peer;
}

Deno.test("Registry: an announced server must answer before it is a peer", () => {
  const { registry } = make();
  const peer = registry.heard(at("10.0.0.2"), "announcement");
  assert(peer !== null);
  assertEquals(registry.askable(), []);
  assertEquals(registry.heard(at("10.0.0.2"), "announcement"), null);
  registry.answered(peer, FACTS);
  assertEquals(registry.askable().map(({ url }) => url), ["http://10.0.0.2:15678/"]);
});

Deno.test("Registry: a candidate that fails is forgotten", () => {
  const { registry } = make();
  const peer = registry.heard(at("10.0.0.2"), "nudge");
  assert(peer !== null);
  registry.failed(peer, "refused");
  assertEquals([registry.all().length, registry.has(peer)], [0, false]);
});

Deno.test("Registry: the backoff grows, and an answer ends it", () => {
  const { registry, clock } = make();
  const peer = believed(registry, "10.0.0.2");
  const pauses: number[] = [];
  for (let i = 0; i < 12; i++) {
    registry.failed(peer, "refused");
    assertEquals(registry.askable(), []);
    pauses.push(peer.backoffUntil - clock.now);
    clock.now = peer.backoffUntil;
    assertEquals(registry.askable(), [peer]);
    peer.lastSeen = clock.now;
  }
  assertEquals(pauses.slice(0, 4), [2000, 4000, 8000, 16000]);
  assertEquals(pauses.at(-1), PEER_BACKOFF.max);
  registry.answered(peer, FACTS);
  assertEquals(peer.state, "alive");
  registry.failed(peer, "refused");
  assertEquals(peer.backoffUntil - clock.now, PEER_BACKOFF.first);
});

Deno.test("Registry: `changed` reports a trouble once, and its end", () => {
  const { registry, clock } = make();
  const peer = believed(registry, "10.0.0.2");
  const told: (string | null)[] = [];
  registry.on("changed", ({ trouble }) => void told.push(trouble));
  for (const trouble of ["refused", "refused", "is late", "is late"]) {
    registry.failed(peer, trouble);
    clock.now = peer.backoffUntil;
  }
  for (let i = 0; i < 2; i++) registry.answered(peer, FACTS);
  assertEquals(told, ["refused", "is late", null]);
});

Deno.test("Registry: `changed` reports a new instance or generation, but no other answers", () => {
  const { registry } = make();
  const told: unknown[] = [];
  registry.on("changed", ({ instance, generation }) => void told.push([instance, generation]));
  const peer = believed(registry, "10.0.0.2");
  const facts = { ...FACTS, instance: "one", generation: 1 };
  for (let i = 0; i < 3; i++) registry.answered(peer, { ...facts, transfers: i });
  registry.answered(peer, { ...facts, generation: 2 });
  registry.answered(peer, { ...facts, instance: "two" });
  registry.spoke(peer, 1);
  registry.spoke(peer, 5);
  assertEquals(told, [[null, null], ["one", 1], ["one", 2], ["two", 1], ["two", 5]]);
});

Deno.test("Registry: simultaneous failures count as one", () => {
  const { registry } = make();
  const peer = believed(registry, "10.0.0.2");
  for (let i = 0; i < 5; i++) registry.failed(peer, "refused");
  assertEquals(peer.backoffUntil, PEER_BACKOFF.first);
});

Deno.test("Registry: a peer in backoff is probed when it announces itself", () => {
  const { registry } = make();
  const peer = believed(registry, "10.0.0.2");
  assertEquals(registry.heard(at("10.0.0.2"), "announcement"), null);
  registry.failed(peer, "refused");
  assertEquals(registry.heard(at("10.0.0.2"), "announcement"), peer);
  assertEquals(registry.askable(), []);
});

Deno.test("Registry: a peer is forgotten after three intervals of silence, but a static one never", () => {
  const { registry, clock } = make();
  believed(registry, "10.0.0.2");
  const fixed = registry.addStatic(at("10.0.0.3"));
  clock.now = LIFETIME;
  assertEquals(registry.all().length, 2);
  registry.heard(at("10.0.0.2"), "announcement");
  clock.now = 2 * LIFETIME;
  assertEquals(registry.all().length, 2);
  clock.now = 2 * LIFETIME + 1;
  assertEquals(registry.all(), [fixed]);
  const again = registry.heard(at("10.0.0.2"), "announcement");
  assertEquals(again?.state, "candidate");
});

Deno.test("Registry: a reported number of transfers ages even if the peer announces itself", () => {
  const { registry, clock } = make();
  const peer = believed(registry, "10.0.0.2");
  registry.answered(peer, { ...FACTS, instance: "an instance", transfers: 8 });
  clock.now = 60_000;
  registry.heard(at("10.0.0.2"), "announcement");
  assert(transfersOf(peer, clock.now) < 1);
  // A transfer that starts now counts fully.
  registry.sentTo(peer);
  registry.sentTo(peer);
  assertEquals(Math.round(transfersOf(peer, clock.now)), 2);
  registry.answered(peer, { ...FACTS, instance: "an instance", transfers: 5 });
  assertEquals(transfersOf(peer, clock.now), 5);
});

Deno.test("Registry: `changed` reports each peer that leaves the table, once", () => {
  const gone: string[] = [];
  const { registry, clock } = make();
  believed(registry, "10.0.0.2");
  const removed = believed(registry, "10.0.0.3");
  registry.on("changed", (peer) => {
    if (!registry.has(peer)) gone.push(peer.location.host);
  });
  registry.remove(removed);
  registry.remove(removed);
  const candidate = registry.heard(at("10.0.0.4"), "nudge");
  assert(candidate !== null);
  registry.failed(candidate, "refused");
  assertEquals(gone.splice(0), ["10.0.0.3", "10.0.0.4"]);
  clock.now = LIFETIME + 1;
  // There is no search, but another peer announces itself.
  believed(registry, "10.0.0.5");
  assertEquals(gone, ["10.0.0.2"]);
});

/** Returns how many of the servers that were heard are still in the table. */
function countOf(registry: Registry, heard: readonly (Peer | null)[]): number {
  return heard.filter((peer) => peer !== null && registry.has(peer)).length;
}

Deno.test("Registry: a flood of announcements is bounded and evicts no peer", () => {
  const { registry } = make();
  const working = Array.from({ length: 20 }, (_, i) => believed(registry, `10.1.0.${i}`));
  const flood = Array.from(
    { length: 20_000 },
    (_, i) => registry.heard(at(`10.2.${i >> 8 & 255}.${i & 255}`, 1 + i % 65535), "announcement"),
  );
  assertEquals(countOf(registry, flood), BOUNDS.candidates);
  assertEquals(registry.all(), working);
});

Deno.test("Registry: one host cannot fill the table", () => {
  const { registry } = make();
  const flood = Array.from(
    { length: 10_000 },
    (_, i) => registry.heard(at("10.0.0.9", i + 1), "announcement"),
  );
  assertEquals(countOf(registry, flood), BOUNDS.perHost);
  assert(registry.heard(at("10.0.0.2"), "announcement") !== null);
});

Deno.test("Registry: the table of peers is bounded", () => {
  const { registry } = make();
  for (let i = 0; i < BOUNDS.peers + 100; i++) {
    const peer = registry.heard(at(`10.3.${i >> 8}.${i & 255}`), "nudge");
    if (peer !== null) registry.answered(peer, FACTS);
  }
  assertEquals(registry.all().length, BOUNDS.peers);
});

Deno.test("Registry: announcements do not evict candidates with a proven address", () => {
  const { registry } = make();
  const nudges = Array.from(
    { length: BOUNDS.candidates },
    (_, i) => registry.heard(at(`10.4.0.${i}`), "nudge"),
  );
  assertEquals(registry.heard(at("10.5.0.1"), "announcement"), null);
  const last = registry.heard(at("10.5.0.2"), "nudge");
  assert(last !== null);
  assertEquals(countOf(registry, [...nudges, last]), BOUNDS.candidates);
});

Deno.test("Registry: import restores the peers of export", () => {
  const one = make().registry;
  believed(one, "10.0.0.2");
  one.addStatic(at("10.0.0.3"));
  const two = make().registry;
  two.import(structuredClone(one.export()));
  two.import(one.export());
  assertEquals(two.askable().map(({ url }) => url), ["http://10.0.0.2:15678/"]);
});

Deno.test("Registry: a peer that only answers nudges stays on probation until it has not failed for minutes", () => {
  const { registry, clock } = make();
  const peer = believed(registry, "10.0.0.2");
  const pauses: number[] = [];
  for (let i = 0; i < 4; i++) {
    registry.failed(peer, "did not answer");
    pauses.push(peer.backoffUntil - clock.now);
    clock.now = peer.backoffUntil;
    registry.answered(peer, { ...FACTS, isProof: false });
  }
  assertEquals(pauses, [2000, 4000, 8000, 16000]);
  assertEquals(registry.askable().map(({ failures }) => failures), [4]);
  clock.now += BOUNDS.probation + 1;
  assertEquals(registry.askable().map(({ failures }) => failures), [0]);
});

Deno.test("Registry: askable returns only a few of many failing peers", () => {
  const { registry, clock } = make();
  const alive = believed(registry, "10.0.0.2");
  const dead = Array.from(
    { length: 550 },
    (_, i) => believed(registry, `10.7.${i >> 8}.${i & 255}`),
  );
  for (const peer of dead) registry.failed(peer, "did not answer");
  clock.now = PEER_BACKOFF.max;
  registry.heard(alive.location, "announcement");
  const asked = registry.askable();
  assertEquals(asked[0], alive);
  assertEquals(asked.length, 1 + BOUNDS.due);
});

Deno.test("Registry: a full table makes room for a peer: failing ones are evicted, then those of the host with most", () => {
  const { registry } = make();
  const answer = (host: string, port: number): Peer | null => {
    const peer = registry.heard(at(host, port), "nudge");
    if (peer !== null) registry.answered(peer, FACTS);
    return peer !== null && registry.get(peer.url) === peer ? peer : null;
  };
  for (let i = 0; i < BOUNDS.peers; i++) answer(`10.8.0.${i >> 4}`, 1 + i % BOUNDS.perHost);
  assertEquals(registry.all().length, BOUNDS.peers);
  const honest = answer("10.0.0.2", 15678);
  assert(honest !== null, "there was no room for it");
  assertEquals(registry.all().length, BOUNDS.peers);
  const failing = registry.all().find((peer) => peer !== honest);
  assert(failing !== undefined);
  registry.failed(failing, "did not answer");
  assert(answer("10.0.0.3", 15678) !== null);
  assertEquals([registry.has(failing), registry.has(honest)], [false, true]);
});
