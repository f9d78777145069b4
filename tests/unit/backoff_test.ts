import { Backoff, backoffPause } from "../../src/backoff.ts";
import { Backoffs } from "../../src/backoffs.ts";
import { assertEquals } from "../assert.ts";

const RANGE = { first: 500, max: 4_000 };

Deno.test("pauses double up to the longest, and begin anew after a reset", () => {
  const backoff = new Backoff(RANGE);
  const pauses = Array.from({ length: 6 }, () => backoff.next());
  assertEquals(pauses, [500, 1000, 2000, 4000, 4000, 4000]);
  backoff.reset();
  assertEquals(backoff.next(), 500);
});

Deno.test("many failures in a row are no number too large", () => {
  assertEquals(backoffPause(0, RANGE), 500);
  assertEquals(backoffPause(100_000, RANGE), 4_000);
});

Deno.test("Backoffs: pauses grow with each failure after the pause, and end with a success", () => {
  let now = 0;
  const backoffs = new Backoffs({ first: 10_000, max: 600_000 }, 10, () => now);
  assertEquals(backoffs.isPaused("a"), false);
  assertEquals(backoffs.failed("a"), 10_000);
  assertEquals(backoffs.failed("a"), null);
  assertEquals(backoffs.isPaused("a"), true);
  assertEquals(backoffs.isPaused("b"), false);
  now = 10_000;
  assertEquals(backoffs.isPaused("a"), false);
  assertEquals(backoffs.failed("a"), 20_000);
  for (let round = 0; round < 20; round++) {
    now += 600_000;
    backoffs.failed("a");
  }
  now += 600_000;
  assertEquals(backoffs.failed("a"), 600_000);
  backoffs.succeeded("a");
  assertEquals(backoffs.isPaused("a"), false);
  assertEquals(backoffs.failed("a"), 10_000);
});
