import { PAUSES, Throttle } from "../../../src/auth/throttle.ts";
import type { Turn } from "../../../src/auth/throttle.ts";
import { assert, assertEquals } from "../../assert.ts";
import { makeRequest } from "../../request.ts";

const MAX_WAITING = 64;
const FORGIVEN_AFTER = 10 * 60 * 1000;
const FREE_FAILURES = 3;

const now = 1_800_000_000_000;

function failing(address: string, times: number, pauses = PAUSES): Throttle {
  const throttle = new Throttle(10, [], pauses);
  for (let index = 0; index < times; index++) throttle.fail(address, now);
  return throttle;
}

/** Asks for a turn; the attempt goes away when `client` aborts. */
function attempt(
  throttle: Throttle,
  remoteAddress: string,
  client = new AbortController(),
  time = now,
): Turn | Promise<Turn> {
  return throttle.turn(makeRequest({ connection: { remoteAddress }, signal: client.signal }), time);
}

/** Whether an attempt has to wait for its turn; it goes away at once. */
function waits(throttle: Throttle, address: string, time = now): boolean {
  const client = new AbortController();
  const turn = attempt(throttle, address, client, time);
  client.abort();
  return turn instanceof Promise;
}

Deno.test("the first failures cost nothing, then pauses double up to a limit", () => {
  const throttle = new Throttle(10);
  assertEquals([1, 2, 3, 4, 5, 6, 7].map((n) => throttle.pauseAfter(n)), [
    0,
    0,
    0,
    500,
    1000,
    2000,
    4000,
  ]);
  assertEquals(throttle.pauseAfter(1000), PAUSES.max);
  assert(!waits(failing("192.0.2.1", FREE_FAILURES), "192.0.2.1"));
  assert(waits(failing("192.0.2.1", FREE_FAILURES + 1), "192.0.2.1"));
  assert(!waits(failing("192.0.2.1", FREE_FAILURES + 1), "192.0.2.1", now + PAUSES.first));
});

Deno.test("attempts at the same time come one after the other, and not without end", async () => {
  const throttle = failing("192.0.2.1", FREE_FAILURES + 5, { first: 2, max: 4 });
  const order: number[] = [];
  const started = performance.now();
  const turns = Array.from({ length: MAX_WAITING + 10 }, async (_, index) => {
    const turn = await attempt(throttle, "192.0.2.1");
    if (turn === "come") order.push(index);
    return turn;
  });
  const all = await Promise.all(turns);
  assertEquals(order, Array.from({ length: MAX_WAITING }, (_, index) => index));
  assertEquals(all.slice(MAX_WAITING), Array(10).fill("refused"));
  assert(performance.now() - started >= MAX_WAITING * 4);
});

Deno.test("behind the same NAT as somebody who guesses without end, one comes late, not never", async () => {
  const throttle = failing("192.0.2.1", FREE_FAILURES + 5, { first: 2, max: 4 });
  const over = new AbortController();
  let guesses = 0;
  const guesser = async (): Promise<void> => {
    while (!over.signal.aborted) {
      if (await attempt(throttle, "192.0.2.1", over) !== "come") return;
      guesses++;
      throttle.fail("192.0.2.1", now);
    }
  };
  const guessers = Array.from({ length: 20 }, guesser);
  assertEquals(await attempt(throttle, "192.0.2.1"), "come");
  assert(guesses >= 20, "who was there first comes first");
  over.abort();
  await Promise.all(guessers);
});

Deno.test("who goes away loses the place, and keeps nobody else from it", async () => {
  const throttle = failing("192.0.2.1", FREE_FAILURES + 5, { first: 2, max: 4 });
  const leaving = new AbortController();
  const left = Array.from({ length: MAX_WAITING }, () => attempt(throttle, "192.0.2.1", leaving));
  assertEquals(attempt(throttle, "192.0.2.1"), "refused");
  leaving.abort();
  assertEquals(await Promise.all(left), Array(MAX_WAITING).fill("gone"));
  assertEquals(attempt(throttle, "192.0.2.1", leaving), "gone");
  assertEquals(await attempt(throttle, "192.0.2.1"), "come");
});

Deno.test("no other address waits", () => {
  const throttle = failing("192.0.2.1", 50);
  assert(!waits(throttle, "192.0.2.2", now));
  assert(!waits(throttle, "2001:db8::1", now));
});

Deno.test("an IPv6 host cannot escape into its own /64", () => {
  const throttle = failing("2001:db8:0:1::1", 6);
  assert(waits(throttle, "2001:db8:0:1:ffff::9"));
  assert(!waits(throttle, "2001:db8:0:2::1", now));
});

Deno.test("after a quiet while an address begins anew", () => {
  const throttle = failing("192.0.2.1", 50);
  assert(!waits(throttle, "192.0.2.1", now + FORGIVEN_AFTER + 1));
  throttle.fail("192.0.2.1", now + FORGIVEN_AFTER + 1);
  assert(!waits(throttle, "192.0.2.1", now + FORGIVEN_AFTER + 1));
});

Deno.test("what replaces it goes on where it was", () => {
  const throttle = failing("192.0.2.1", FREE_FAILURES + 5);
  const next = new Throttle(10, structuredClone(throttle.exportState()));
  assert(waits(next, "192.0.2.1", now + PAUSES.max - 1));
  next.fail("192.0.2.1", now + 3 * FORGIVEN_AFTER);
  assert(waits(throttle, "192.0.2.1"), "the two share nothing");
});

Deno.test("the table is bounded", () => {
  const throttle = new Throttle(10);
  for (let index = 0; index < 1000; index++) {
    throttle.fail(`10.0.${index >> 8}.${index & 255}`, now);
  }
  assertEquals(throttle.exportState().length, 10);
});
