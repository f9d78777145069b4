import { staggered } from "../../../src/pacserve/relay/staggered.ts";
import { assertEquals } from "../../assert.ts";

/** Asks servers: a number is the time (ms) until the answer, and null is a server that fails at once. */
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

Deno.test("staggered: no server is asked after the first result", async () => {
  assertEquals(await ask([0, 0, 0], 1_000), { result: 0, asked: 1 });
});

Deno.test("staggered: after a failure the next server is asked at once", async () => {
  assertEquals(await ask([null, null, 1, 0], 60_000), { result: 1, asked: 3 });
});

Deno.test("staggered: the next server is asked while one does not answer, and the first answer is used", async () => {
  assertEquals(await ask([300, 2_000], 50), { result: 300, asked: 2 });
  assertEquals(await ask([2_000, 20], 50), { result: 20, asked: 2 });
});

Deno.test("staggered: resolves with null when no server has a result", async () => {
  assertEquals(await ask([null, null], 50), { result: null, asked: 2 });
  assertEquals(await ask([], 50), { result: null, asked: 0 });
});
