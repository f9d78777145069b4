import fc from "fast-check";
import { assert, assertEquals } from "../../assert.ts";
import { NONCE_LIFETIME } from "../../../src/auth/nonce.ts";
import { NonceCounts, WINDOW } from "../../../src/auth/nonce_counts.ts";

const now = 1_800_000_000_000;
const address = "192.0.2.7";

function counter(counts: NonceCounts): (count: number) => boolean {
  return (count) => counts.use("n", now, count, address, now);
}

Deno.test("a count is good once", () => {
  const use = counter(new NonceCounts(10));
  assertEquals([use(1), use(1), use(2), use(2), use(1)], [true, false, true, false, false]);
});

Deno.test("counts may have gaps and come out of order, within the window", () => {
  const use = counter(new NonceCounts(10));
  assert(use(1));
  assert(use(100));
  assert(use(50), "overtaken");
  assert(!use(50));
  assert(use(1000));
  assert(use(1000 - WINDOW + 1), "just inside the window");
  assert(!use(1000 - WINDOW), "just outside of it");
  assert(!use(100), "used before the gap");
});

Deno.test("whatever the order, no count is good twice", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 400 }), (list) => {
    const use = counter(new NonceCounts(10));
    const good = list.filter(use);
    assertEquals(new Set(good).size, good.length);
  }));
});

Deno.test("the greatest counts there are", () => {
  const use = counter(new NonceCounts(10));
  assert(use(0xffffffff));
  assert(!use(0xffffffff));
  assert(use(0xfffffffe));
});

Deno.test("a full table forgets the oldest, and what it forgot can never be used again", () => {
  const counts = new NonceCounts(3);
  for (let index = 0; index < 5; index++) {
    assert(counts.use(`n${index}`, now + index, 1, address, now + 10));
  }
  assertEquals(counts.size, 3);
  assert(!counts.use("n0", now, 2, address, now + 10), "forgotten: the client gets a new nonce");
  assert(!counts.use("n1", now + 1, 1, address, now + 10), "a replay after forgetting");
  assert(counts.use("n3", now + 3, 2, address, now + 10), "still known");
  assert(counts.use("new", now + 11, 1, address, now + 11));
});

Deno.test("nonces that expired make room by themselves", () => {
  const counts = new NonceCounts(1000);
  for (let index = 0; index < 100; index++) counts.use(`n${index}`, now, 1, address, now);
  counts.use("late", now + NONCE_LIFETIME, 1, address, now + NONCE_LIFETIME);
  assertEquals(counts.size, 1);
});

Deno.test("a clock that is set back locks nobody out", () => {
  const counts = new NonceCounts(1);
  assert(counts.use("a", now, 1, address, now));
  assert(counts.use("b", now + 1, 1, address, now + 1));
  const earlier = now - 3_600_000;
  assert(!counts.use("c", earlier, 1, address, earlier), "in the instant of the change");
  assert(counts.use("d", earlier + 1, 1, address, earlier + 1));
});

Deno.test("what is remembered goes through plain data", () => {
  const counts = new NonceCounts(10);
  counts.use("n", now, 5, address, now);
  const state = structuredClone(counts.exportState());
  const next = new NonceCounts(10, JSON.parse(JSON.stringify(state)));
  assert(!next.use("n", now, 5, address, now), "a replay after the worker was replaced");
  assert(next.use("n", now, 6, address, now));
  assert(next.isKnown("n", address));
  assert(!next.isKnown("n", "192.0.2.8"));
  assert(counts.use("n", now, 6, address, now), "the two share nothing");
});
