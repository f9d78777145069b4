import { Turns } from "../../../src/quickserve/turns.ts";
import { assertEquals, assertRejects } from "../../assert.ts";

Deno.test("however many want a turn at the same time, others have theirs in between", async () => {
  const turns = new Turns();
  const order: string[] = [];
  await Promise.all(["a", "b", "c"].map(async (name) => {
    await turns.run(() => order.push(name));
    setTimeout(() => order.push("other"), 0);
  }));
  assertEquals(order, ["a", "other", "b", "other", "c"]);
});

Deno.test("work that fails is its own trouble alone", async () => {
  const turns = new Turns();
  const failed = turns.run(() => {
    throw new Error("no");
  });
  const next = turns.run(() => 1);
  await assertRejects(() => failed, Error, "no");
  assertEquals(await next, 1);
});
