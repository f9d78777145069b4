import { assert, assertEquals } from "../../assert.ts";
import type { Verdict } from "../../../src/pacserve/mirror_check.ts";
import { race, type RaceTimes } from "../../../src/pacserve/mirror_race.ts";

type Runner = Parameters<typeof race>[0][number];

/** Times that never pass in these tests. */
const long: RaceTimes = { stagger: 60_000, patience: 60_000, deadline: 60_000 };
const silent = new Promise<Verdict>(() => {});

function runners(...answers: (Verdict | Promise<Verdict>)[]): { list: Runner[]; asked: number[] } {
  const asked: number[] = [];
  const list = answers.map((answer, index) => ({
    ask: (): Verdict | Promise<Verdict> => {
      asked.push(index);
      return answer;
    },
    isSetAside: false,
  }));
  return { list, asked };
}

Deno.test("race: the first mirror that has the file ends the race, and no other one is asked", async () => {
  const { list, asked } = runners("has", "has");
  assertEquals(await race(list, long, false), { kind: "has", index: 0 });
  assertEquals(asked, [0]);
});

Deno.test("race: when a mirror lacks the file or fails, the next one is asked at once", async () => {
  const { list, asked } = runners(
    Promise.resolve("lacks"),
    "fails",
    "unknown",
    Promise.resolve("has"),
    "has",
  );
  assertEquals(await race(list, long, false), { kind: "has", index: 3 });
  assertEquals(asked, [0, 1, 2, 3]);
});

Deno.test("race: the result is `none` without mirrors, and when no mirror has the file", async () => {
  assertEquals(await race([], long, false), { kind: "none" });
  assertEquals(await race(runners("lacks", Promise.resolve("fails")).list, long, false), {
    kind: "none",
  });
});

Deno.test("race: the next mirror is asked while the first one is slow, but the answer of the first one is awaited", async () => {
  const first = Promise.withResolvers<Verdict>();
  const second = Promise.withResolvers<Verdict>();
  const { list } = runners(first.promise, second.promise, "has");
  let result: unknown = null;
  const running = race(list, { ...long, stagger: 1 }, false).then((ended) => result = ended);
  second.resolve("has");
  await second.promise;
  await Promise.resolve();
  assertEquals(result, null);
  first.resolve("has");
  assertEquals(await running, { kind: "has", index: 0 });
});

Deno.test("race: after `patience`, the first mirror in order that has confirmed the file wins", async () => {
  const { list } = runners(silent, Promise.resolve("lacks"), Promise.resolve("has"));
  assertEquals(await race(list, { ...long, stagger: 1, patience: 20 }, false), {
    kind: "has",
    index: 2,
  });
});

Deno.test("race: at the deadline, the first mirror that has not answered is the result, unverified", async () => {
  const { list } = runners("lacks", silent, silent);
  const times = { ...long, stagger: 1, deadline: 20 };
  assertEquals(await race(list, times, false), { kind: "unverified", index: 1 });
});

Deno.test("race: at the deadline, a mirror that failed lately is the result only if there is no other", async () => {
  const times = { ...long, deadline: 20 };
  const all = runners(silent, silent).list.map((runner) => ({ ...runner, isSetAside: true }));
  assertEquals(await race(all, times, false), { kind: "unverified", index: 0 });
  const [slow] = runners(silent).list;
  assert(slow !== undefined);
  assertEquals(await race([...all, slow], times, false), { kind: "unverified", index: 2 });
});

Deno.test("race: a mirror that failed in the race is the result, unless another one lacks the file", async () => {
  const fails = Promise.resolve<Verdict>("fails");
  assertEquals(await race(runners("fails", fails).list, long, false), {
    kind: "unverified",
    index: 0,
  });
  assertEquals(await race(runners("fails", "lacks").list, long, false), { kind: "none" });
});

Deno.test("race: a mirror that was not asked may be the result, unverified", async () => {
  assertEquals(await race(runners("lacks", "unknown").list, long, false), {
    kind: "unverified",
    index: 1,
  });
});

Deno.test("race: for an optional file, the first working mirror decides", async () => {
  const { list, asked } = runners("fails", Promise.resolve("lacks"), "has");
  assertEquals(await race(list, long, true), { kind: "none" });
  assertEquals(asked, [0, 1]);
  assertEquals(await race(runners("fails", "has").list, long, true), { kind: "has", index: 1 });
});

Deno.test("race: at most four silent mirrors are asked at the same time", async () => {
  const { list, asked } = runners(...Array.from({ length: 50 }, () => silent));
  await race(list, { stagger: 0, patience: 30, deadline: 60 }, false);
  assert(asked.length <= 4, `asked ${asked.length}`);
});
