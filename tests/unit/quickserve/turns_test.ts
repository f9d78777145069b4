import { CoalescedRuns, Slices, sortInSlices, Turns } from "../../../src/quickserve/turns.ts";
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

Deno.test("Slices: other work waits for no more than a slice of long work", async () => {
  const slices = new Slices();
  let others = 0;
  const timer = setInterval(() => others++, 0);
  const end = performance.now() + 200;
  while (performance.now() < end) await slices.next();
  clearInterval(timer);
  assert(others >= 5, `other work ran ${others} times in 200 ms`);
});

Deno.test("sortInSlices: sorts as Array.sort does, and keeps the order of equal items", async () => {
  const numbers = Array.from({ length: 12_345 }, (_, index) => (index * 7919) % 10_007);
  const texts = numbers.map(String);
  assertEquals(await sortInSlices(texts, new Slices()), texts.toSorted());
  const pairs = numbers.map((number, index) => ({ last: number % 10, index }));
  const byLast = (a: { last: number }, b: { last: number }): number => a.last - b.last;
  assertEquals(await sortInSlices(pairs, new Slices(), byLast), pairs.toSorted(byLast));
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
