import { staggered } from "../../../src/pacserve/relay/staggered.ts";
import { assertEquals } from "../../assert.ts";

/** Asks these, of which a number answers after so many milliseconds, and what failed at once is null. */
async function ask(
  answers: readonly (number | null)[],
  pause: number,
): Promise<{ readonly result: number | null; readonly asked: number }> {
  let asked = 0;
  const result = await staggered(
    () => Promise.resolve(asked < answers.length ? { answer: answers[asked++]! } : null),
    async ({ answer }: { answer: number | null }) => {
      if (answer === null) throw new Error("it fails");
      await new Promise((resolve) => setTimeout(resolve, answer));
      return answer;
    },
    pause,
  );
  return { result, asked };
}

Deno.test("staggered: nobody is asked after the first result", async () => {
  assertEquals(await ask([0, 0, 0], 1_000), { result: 0, asked: 1 });
});

Deno.test("staggered: one that fails is followed at once", async () => {
  assertEquals(await ask([null, null, 1, 0], 60_000), { result: 1, asked: 3 });
});

Deno.test("staggered: the next is asked beside one that does not answer, which may still be first", async () => {
  assertEquals(await ask([300, 2_000], 50), { result: 300, asked: 2 });
  assertEquals(await ask([2_000, 20], 50), { result: 20, asked: 2 });
});

Deno.test("staggered: without any result it is null", async () => {
  assertEquals(await ask([null, null], 50), { result: null, asked: 2 });
  assertEquals(await ask([], 50), { result: null, asked: 0 });
});
