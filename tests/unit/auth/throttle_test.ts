import { assert, assertEquals } from "../../assert.ts";
import {
  FORGIVEN_AFTER,
  FREE_FAILURES,
  LONGEST_PAUSE,
  pauseAfter,
  Throttle,
} from "../../../src/auth/throttle.ts";

const now = 1_800_000_000_000;

function failing(address: string, times: number): Throttle {
  const throttle = new Throttle(10);
  for (let index = 0; index < times; index++) throttle.fail(address, now);
  return throttle;
}

Deno.test("the first failures cost nothing, then pauses double up to a limit", () => {
  assertEquals([1, 2, 3, 4, 5, 6].map(pauseAfter), [0, 0, 0, 500, 1000, 2000]);
  assertEquals(pauseAfter(1000), LONGEST_PAUSE);
  assertEquals(failing("192.0.2.1", FREE_FAILURES).pause("192.0.2.1", now), 0);
  assertEquals(failing("192.0.2.1", FREE_FAILURES + 1).pause("192.0.2.1", now), 500);
});

Deno.test("attempts at the same time wait one behind the other, and not without end", () => {
  const throttle = failing("192.0.2.1", FREE_FAILURES + 5);
  const waits = Array.from({ length: 100 }, () => throttle.pause("192.0.2.1", now));
  assertEquals(waits.slice(0, 3), [8000, 16000, null]);
  assertEquals(new Set(waits.slice(2)).size, 1);
});

Deno.test("no other address waits", () => {
  const throttle = failing("192.0.2.1", 50);
  assertEquals(throttle.pause("192.0.2.2", now), 0);
  assertEquals(throttle.pause("2001:db8::1", now), 0);
});

Deno.test("an IPv6 host cannot escape into its own /64", () => {
  const throttle = failing("2001:db8:0:1::1", 6);
  assert((throttle.pause("2001:db8:0:1:ffff::9", now) ?? 0) > 0);
  assertEquals(throttle.pause("2001:db8:0:2::1", now), 0);
});

Deno.test("after a quiet while an address begins anew", () => {
  const throttle = failing("192.0.2.1", 50);
  assertEquals(throttle.pause("192.0.2.1", now + FORGIVEN_AFTER + 1), 0);
  throttle.fail("192.0.2.1", now + FORGIVEN_AFTER + 1);
  assertEquals(throttle.pause("192.0.2.1", now + FORGIVEN_AFTER + 1), 0);
});

Deno.test("what replaces it goes on where it was", () => {
  const throttle = failing("192.0.2.1", FREE_FAILURES + 5);
  const next = new Throttle(10, structuredClone(throttle.exportState()));
  assertEquals(next.pause("192.0.2.1", now), 8000);
  assertEquals(throttle.pause("192.0.2.1", now), 8000, "the two share nothing");
});

Deno.test("the table is bounded", () => {
  const throttle = new Throttle(10);
  for (let index = 0; index < 1000; index++) {
    throttle.fail(`10.0.${index >> 8}.${index & 255}`, now);
  }
  assertEquals(throttle.size, 10);
});
