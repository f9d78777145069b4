import { CoalescedRuns, Turns } from "../../../src/quickserve/turns.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";

Deno.test("Turns: other work runs between the turns, however many wait", async () => {
  const turns = new Turns();
  const order: string[] = [];
  await Promise.all(["a", "b", "c"].map(async (name) => {
    await turns.run(() => order.push(name));
    setTimeout(() => order.push("other"), 0);
  }));
  assertEquals(order.filter((name) => name !== "other"), ["a", "b", "c"]);
  // A timer that is set after a turn may fire after the next turn, but not after all of them.
  assert(order.indexOf("other") < order.indexOf("c"), order.join(" "));
});

Deno.test("Turns: an error of one piece of work does not affect the others", async () => {
  const turns = new Turns();
  const failed = turns.run(() => {
    throw new Error("no");
  });
  const next = turns.run(() => 1);
  await assertRejects(() => failed, Error, "no");
  assertEquals(await next, 1);
});

Deno.test("CoalescedRuns: many calls share two runs, and no call gets a run that began before it", async () => {
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
  // The second run of "a" has started automatically.
  for (const open of gates.splice(0)) open();
  assertEquals(new Set(await Promise.all(later)), new Set([3]));
  const again = runs.run("a", work);
  gates.pop()?.();
  assertEquals(await again, 4);
});

Deno.test("CoalescedRuns: a failed run fails only for its callers, and the next run begins", async () => {
  const runs = new CoalescedRuns<number>();
  const first = runs.run("a", () => Promise.reject(new Error("broken")));
  const second = runs.run("a", () => Promise.resolve(2));
  await assertRejects(() => first, Error, "broken");
  assertEquals(await second, 2);
});
