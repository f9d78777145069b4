import { assertEquals, assertRejects } from "../../assert.ts";
import { CoalescedRuns } from "../../../src/quickserve/coalesced_runs.ts";

Deno.test("many who ask at once share two runs, and none gets what began before it asked", async () => {
  const runs = new CoalescedRuns<number>();
  const gates: (() => void)[] = [];
  let count = 0;
  const work = async (): Promise<number> => {
    const own = ++count;
    await new Promise<void>((resolve) => gates.push(resolve));
    return own;
  };
  const first = runs.run("a", work);
  const later = Array.from({ length: 50 }, () => runs.run("a", work));
  const other = runs.run("b", work);
  assertEquals(gates.length, 2);
  for (const open of gates.splice(0)) open();
  assertEquals([await first, await other], [1, 2]);
  // The second run of "a" has begun by itself.
  for (const open of gates.splice(0)) open();
  assertEquals(new Set(await Promise.all(later)), new Set([3]));
  const again = runs.run("a", work);
  gates.pop()?.();
  assertEquals(await again, 4);
});

Deno.test("a run that fails is its own askers' failure, and the next one begins all the same", async () => {
  const runs = new CoalescedRuns<number>();
  const first = runs.run("a", () => Promise.reject(new Error("broken")));
  const second = runs.run("a", () => Promise.resolve(2));
  await assertRejects(() => first, Error, "broken");
  assertEquals(await second, 2);
});
