import { ranked } from "../../../src/peers/balance.ts";
import { assert, assertEquals } from "../../assert.ts";

const NOW = 100_000;

type Load = Parameters<typeof ranked>[0][number];

const peer = (transfers: number, roundTrip: number | null, transfersAt = NOW): Load => ({
  transfers,
  roundTrip,
  transfersAt,
});

/** Returns a generator of random numbers that are the same in each run. */
function chance(): () => number {
  let state = 1;
  return () => (state = state * 48271 % 0x7fffffff) / 0x7fffffff;
}

/** Returns true when the first of two peers is preferred although it comes second in the list. */
function isCheaper(one: Load, other: Load): boolean {
  const draws = [0, 0.9];
  return ranked([other, one], NOW, () => draws.shift() ?? 0)[0] === one;
}

Deno.test("ranked: transfers and a long round trip both make a peer come later", () => {
  assert(isCheaper(peer(0, 1), peer(1, 1)));
  assert(isCheaper(peer(0, 1), peer(0, 20)));
  assert(isCheaper(peer(3, 1), peer(0, 20)));
  assert(!isCheaper(peer(0, 0.1), peer(0, 0.5)) && !isCheaper(peer(0, 0.5), peer(0, 0.1)));
  assert(!isCheaper(peer(0, null), peer(0, 1)) && !isCheaper(peer(0, 1), peer(0, null)));
});

Deno.test("transfersOf: a number that was reported long ago counts less", () => {
  assert(isCheaper(peer(8, 1, NOW - 60_000), peer(1, 1)));
  assert(isCheaper(peer(1, 1), peer(8, 1, NOW - 1_000)));
});

Deno.test("ranked: every peer occurs once", () => {
  const peers = [peer(0, 1), peer(5, 1), peer(0, 9), peer(2, null)];
  const order = ranked(peers, NOW, chance());
  assertEquals(order.length, 4);
  assertEquals(new Set(order), new Set(peers));
  assertEquals(ranked([], NOW, chance()), []);
});

Deno.test("ranked: idle and near peers are mostly first, but not always the same one", () => {
  const random = chance();
  const peers = [peer(0, 1), peer(0, 1), peer(8, 1), peer(0, 50)];
  const first = new Map(peers.map((each) => [each, 0]));
  for (let i = 0; i < 4000; i++) {
    const [best] = ranked(peers, NOW, random);
    if (best !== undefined) first.set(best, (first.get(best) ?? 0) + 1);
  }
  const [a = 0, b = 0, busy = 0, far = 0] = first.values();
  assert(a > 1200 && b > 1200, `${a} ${b}`);
  assert(busy + far < 1200 && busy + far > 0, `${busy} ${far}`);
});
