import fc from "fast-check";
import { isFresh, makeNonce, NonceCounts, readNonce } from "../../../src/auth/nonces.ts";
import { assert, assertEquals, assertNotEquals } from "../../assert.ts";

const WINDOW = 128;
const NONCE_LIFETIME = 10 * 60 * 1000;

const secret = new Uint8Array(32).fill(7);
const now = 1_800_000_000_000;

function use(
  counts: NonceCounts,
  nonce: string,
  issued: number,
  count: number,
  at: number,
): boolean {
  return counts.use({ nonce, issued, count, user: "alice", address: "192.0.2.7" }, at);
}

function counter(counts: NonceCounts): (count: number) => boolean {
  return (count) => use(counts, "n", now, count, now);
}

Deno.test("NonceCounts: a count is good once", () => {
  const use = counter(new NonceCounts(10));
  assertEquals([use(1), use(1), use(2), use(2), use(1)], [true, false, true, false, false]);
});

Deno.test("NonceCounts: counts may have gaps and come out of order, within the window", () => {
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

Deno.test("NonceCounts: whatever the order, no count is good twice", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 400 }), (list) => {
    const use = counter(new NonceCounts(10));
    const good = list.filter(use);
    assertEquals(new Set(good).size, good.length);
  }));
});

Deno.test("NonceCounts: the greatest counts there are", () => {
  const use = counter(new NonceCounts(10));
  assert(use(0xffffffff));
  assert(!use(0xffffffff));
  assert(use(0xfffffffe));
});

Deno.test("NonceCounts: a full table forgets the oldest, and what it forgot can never be used again", () => {
  const counts = new NonceCounts(3);
  for (let index = 0; index < 5; index++) {
    assert(use(counts, `n${index}`, now + index, 1, now + 10));
  }
  assertEquals(counts.exportState().nonces.length, 3);
  assert(!use(counts, "n0", now, 2, now + 10), "forgotten: the client gets a new nonce");
  assert(!use(counts, "n1", now + 1, 1, now + 10), "a replay after forgetting");
  assert(use(counts, "n3", now + 3, 2, now + 10), "still known");
  assert(use(counts, "new", now + 11, 1, now + 11));
});

Deno.test("NonceCounts: nonces that expired make room by themselves", () => {
  const counts = new NonceCounts(1000);
  for (let index = 0; index < 100; index++) use(counts, `n${index}`, now, 1, now);
  use(counts, "late", now + NONCE_LIFETIME, 1, now + NONCE_LIFETIME);
  assertEquals(counts.exportState().nonces.length, 1);
});

Deno.test("NonceCounts: a clock that is set back locks nobody out", () => {
  const counts = new NonceCounts(1);
  assert(use(counts, "a", now, 1, now));
  assert(use(counts, "b", now + 1, 1, now + 1));
  const earlier = now - 3_600_000;
  assert(!use(counts, "c", earlier, 1, earlier), "in the instant of the change");
  assert(use(counts, "d", earlier + 1, 1, earlier + 1));
});

Deno.test("NonceCounts: what is remembered goes through plain data", () => {
  const counts = new NonceCounts(10);
  use(counts, "n", now, 5, now);
  const state = structuredClone(counts.exportState());
  const next = new NonceCounts(10, JSON.parse(JSON.stringify(state)));
  assert(!use(next, "n", now, 5, now), "a replay after the worker was replaced");
  assert(use(next, "n", now, 6, now));
  assert(next.isKnown("n", "alice", "192.0.2.7"));
  assert(!next.isKnown("n", "alice", "192.0.2.8"));
  assert(!next.isKnown("n", "bob", "192.0.2.7"));
  assert(use(counts, "n", now, 6, now), "the two share nothing");
});

Deno.test("makeNonce: a nonce tells when it was made, and no two are the same", () => {
  const nonce = makeNonce(secret, now);
  assertEquals(readNonce(secret, nonce), now);
  assertNotEquals(nonce, makeNonce(secret, now));
});

Deno.test("readNonce: a nonce that was changed in any one character is refused", () => {
  const nonce = makeNonce(secret, now);
  for (let index = 0; index < nonce.length; index++) {
    const other = nonce[index] === "A" ? "B" : "A";
    const forged = nonce.slice(0, index) + other + nonce.slice(index + 1);
    assertEquals(readNonce(secret, forged), null, forged);
  }
});

Deno.test("readNonce: so is another server's, a shorter, a longer one or any other text", () => {
  assertEquals(readNonce(new Uint8Array(32), makeNonce(secret, now)), null);
  const nonce = makeNonce(secret, now);
  for (const text of ["", nonce.slice(1), `${nonce}A`, "=".repeat(nonce.length), "ä".repeat(48)]) {
    assertEquals(readNonce(secret, text), null, text);
  }
});

Deno.test("isFresh: a nonce is fresh for its lifetime, and not before it was made", () => {
  assertEquals(isFresh(now, now), true);
  assertEquals(isFresh(now, now + NONCE_LIFETIME - 1), true);
  assertEquals(isFresh(now, now + NONCE_LIFETIME), false);
  assertEquals(isFresh(now, now - 60_000), false);
});
