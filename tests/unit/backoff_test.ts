import { Backoff, backoffPause } from "../../src/backoff.ts";
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
