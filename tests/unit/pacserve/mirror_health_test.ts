import { assertEquals } from "../../assert.ts";
import { MirrorHealth } from "../../../src/pacserve/mirror_health.ts";

Deno.test("pauses grow with each failure after the pause, and end with an answer", () => {
  let now = 0;
  const health = new MirrorHealth(() => now);
  assertEquals(health.isSetAside("a"), false);
  assertEquals(health.failed("a"), 10_000);
  assertEquals(health.failed("a"), null);
  assertEquals(health.isSetAside("a"), true);
  assertEquals(health.isSetAside("b"), false);
  now = 10_000;
  assertEquals(health.isSetAside("a"), false);
  assertEquals(health.failed("a"), 20_000);
  for (let round = 0; round < 20; round++) {
    now += 600_000;
    health.failed("a");
  }
  now += 600_000;
  assertEquals(health.failed("a"), 600_000);
  health.succeeded("a");
  assertEquals(health.isSetAside("a"), false);
  assertEquals(health.failed("a"), 10_000);
});
