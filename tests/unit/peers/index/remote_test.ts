import type { PeerAnswer } from "../../../../src/peers/client.ts";
import { RemoteIndexes } from "../../../../src/peers/index/remote.ts";
import { encodeIndex } from "../../../../src/peers/index/format.ts";
import { type Peer, Registry } from "../../../../src/peers/registry.ts";
import { assert, assertEquals } from "../../../assert.ts";

const LIFETIME = 900_000;

const FACTS = { generation: 1, transfers: 0, roundTrip: 1, isProof: true };

/** The greatest number of names in an index. */
const BODY = encodeIndex({
  changes: false,
  watched: true,
  added: Uint32Array.from({ length: 500_000 }, (_, index) => 8000 * index),
  removed: new Uint32Array(),
});

const SMALL_BODY = encodeIndex({
  changes: false,
  watched: true,
  added: Uint32Array.of(1, 2, 3),
  removed: new Uint32Array(),
});

/** The number of such indexes that fit in memory. */
const ROOM = 8;

Deno.test("RemoteIndexes: the index of a peer that is forgotten makes room for others", async () => {
  let now = 0;
  const registry = new Registry({ now: () => now, lifetime: LIFETIME });
  const questions = {
    get: ({ instance }: Peer): Promise<PeerAnswer> =>
      Promise.resolve({
        status: 200,
        headers: { etag: `"${instance}.1"` },
        body: BODY,
        roundTrip: 1,
      }),
  };
  const indexes = new RemoteIndexes(questions, registry, () => now);

  /** Adds one more peer, which reports its index. */
  async function come(number: number): Promise<Peer> {
    const location = { scheme: "http", host: `10.0.0.${number}`, port: 15678, path: "/" } as const;
    const peer = registry.heard(location, "nudge");
    assert(peer !== null);
    registry.answered(peer, { ...FACTS, instance: `instance-${number}` });
    // Promises that are resolved already are handled before any timer.
    await new Promise((resolve) => setTimeout(resolve, 0));
    return peer;
  }

  for (let number = 0; number < ROOM; number++) {
    assertEquals(indexes.verdict(await come(number), "absent"), "no");
  }
  assertEquals(indexes.verdict(await come(ROOM), "absent"), "unknown");
  // These peers are switched off, and later other ones are started.
  now += LIFETIME + 1;
  for (let number = 100; number < 100 + ROOM; number++) {
    assertEquals(indexes.verdict(await come(number), "absent"), "no");
  }
  indexes.stop();
});

Deno.test("RemoteIndexes: huge indexes do not displace others, and only few are fetched at a time", async () => {
  let underWay = 0;
  let most = 0;
  const registry = new Registry({ now: () => 0, lifetime: LIFETIME });
  const questions = {
    get: async ({ instance }: Peer): Promise<PeerAnswer> => {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setTimeout(resolve, 1));
      underWay--;
      const body = instance === "honest-instance" ? SMALL_BODY : BODY;
      return { status: 200, headers: { etag: `"${instance}.1"` }, body, roundTrip: 1 };
    },
  };
  const indexes = new RemoteIndexes(questions, registry, () => 0);
  function come(host: string, instance: string): Peer {
    const peer = registry.heard({ scheme: "http", host, port: 15678, path: "/" }, "nudge");
    assert(peer !== null);
    registry.answered(peer, { ...FACTS, instance });
    return peer;
  }
  const huge = Array.from({ length: 40 }, (_, i) => come(`10.0.1.${i}`, `huge-instance-${i}`));
  const honest = come("10.0.0.2", "honest-instance");
  while (indexes.verdict(honest, "absent") !== "no") {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert(most <= 8, `${most} at a time`);
  const kept = huge.filter((peer) => indexes.verdict(peer, "absent") === "no").length;
  assert(kept < ROOM, `${kept} huge indexes are kept`);
  indexes.stop();
});

Deno.test("RemoteIndexes: a peer that reports a new instance each time is not asked each time", async () => {
  let asked = 0;
  const registry = new Registry({ lifetime: LIFETIME });
  const questions = {
    get: ({ instance }: Peer): Promise<PeerAnswer> => {
      asked++;
      const headers = { etag: `"${instance}.1"` };
      return Promise.resolve({ status: 200, headers, body: SMALL_BODY, roundTrip: 1 });
    },
  };
  const indexes = new RemoteIndexes(questions, registry);
  const start = performance.now();
  const location = { scheme: "http", host: "10.0.0.2", port: 15678, path: "/" } as const;
  const peer = registry.heard(location, "nudge");
  assert(peer !== null);
  for (let number = 0; number < 500; number++) {
    registry.answered(peer, { ...FACTS, instance: `instance-${number}` });
    registry.spoke(peer, null);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const seconds = (performance.now() - start) / 1000;
  assert(asked >= 1 && asked <= 1 + 2 * seconds, `${asked} questions in ${seconds} s`);
  indexes.stop();
});
