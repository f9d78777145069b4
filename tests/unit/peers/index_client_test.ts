import { PeerIndexes } from "../../../src/peers/index_client.ts";
import { encodeIndex } from "../../../src/peers/index_format.ts";
import { type Peer, Registry } from "../../../src/peers/registry.ts";
import { assert, assertEquals } from "../../assert.ts";

const LIFETIME = 900_000;

/** As many names as an index may have. */
const BODY = encodeIndex({
  changes: false,
  watched: true,
  added: Uint32Array.from({ length: 500_000 }, (_, index) => 8000 * index),
  removed: new Uint32Array(),
});

/** So many of them fit in memory. */
const ROOM = 8;

Deno.test("the index of a peer that is forgotten makes room for those of others", async () => {
  let now = 0;
  const registry = new Registry({
    now: () => now,
    lifetime: LIFETIME,
    random: Math.random,
    forgotten: (peer) => indexes.forget(peer),
  });
  const indexes = new PeerIndexes({
    now: () => now,
    get: ({ instance }) =>
      Promise.resolve({
        status: 200,
        headers: { etag: `"${instance}.1"` },
        body: BODY,
        roundTrip: 1,
      }),
  });

  /** One more peer comes, and speaks of its index. */
  async function come(number: number): Promise<Peer> {
    const address = { scheme: "http", host: `10.0.0.${number}`, port: 15678, path: "/" } as const;
    const peer = registry.heard(address, "nudge");
    assert(peer !== null);
    registry.answered(peer, { instance: `instance-${number}`, transfers: 0, roundTrip: 1 });
    indexes.told(peer, 1);
    // What is resolved already is read before any timer.
    await new Promise((resolve) => setTimeout(resolve, 0));
    return peer;
  }

  for (let number = 0; number < ROOM; number++) {
    assertEquals(indexes.verdict(await come(number), "absent"), "no");
  }
  assertEquals(indexes.verdict(await come(ROOM), "absent"), "unknown");
  // They are switched off in the evening, and in the morning there are others.
  now += LIFETIME + 1;
  for (let number = 100; number < 100 + ROOM; number++) {
    assertEquals(indexes.verdict(await come(number), "absent"), "no");
  }
  indexes.stop();
});
