import { assert, assertEquals } from "../../assert.ts";
import type { Verdict } from "../../../src/pacserve/mirror_check.ts";
import { race, type RaceTimes, type Runner } from "../../../src/pacserve/mirror_race.ts";

/** Nothing in these tests waits for as long. */
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

Deno.test("the first mirror that has the file ends the race, and nobody else is asked", async () => {
  const { list, asked } = runners("has", "has");
  assertEquals(await race(list, long, false), { kind: "has", index: 0 });
  assertEquals(asked, [0]);
});

Deno.test("one that lacks the file, or fails, hands on to the next at once", async () => {
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

Deno.test("no mirror, or none with the file", async () => {
  assertEquals(await race([], long, false), { kind: "none" });
  assertEquals(await race(runners("lacks", Promise.resolve("fails")).list, long, false), {
    kind: "none",
  });
});

Deno.test("the next is asked beside one that takes its time, and its yes waits for the first", async () => {
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

Deno.test("when patience ends, the earliest yes that there is wins", async () => {
  const { list } = runners(silent, Promise.resolve("lacks"), Promise.resolve("has"));
  assertEquals(await race(list, { ...long, stagger: 1, patience: 20 }, false), {
    kind: "has",
    index: 2,
  });
});

Deno.test("at the deadline the first that may be alive is taken unverified", async () => {
  const { list } = runners("lacks", silent, silent);
  const times = { ...long, stagger: 1, deadline: 20 };
  assertEquals(await race(list, times, false), { kind: "unverified", index: 1 });
});

Deno.test("at the deadline one that failed lately is taken only if there is no other", async () => {
  const times = { ...long, deadline: 20 };
  const all = runners(silent, silent).list.map((runner) => ({ ...runner, isSetAside: true }));
  assertEquals(await race(all, times, false), { kind: "unverified", index: 0 });
  const [slow] = runners(silent).list;
  assert(slow !== undefined);
  assertEquals(await race([...all, slow], times, false), { kind: "unverified", index: 2 });
});

Deno.test("one that failed just now is better than none, unless another lacks the file", async () => {
  const fails = Promise.resolve<Verdict>("fails");
  assertEquals(await race(runners("fails", fails).list, long, false), {
    kind: "unverified",
    index: 0,
  });
  assertEquals(await race(runners("fails", "lacks").list, long, false), { kind: "none" });
});

Deno.test("one that was not asked may be alive", async () => {
  assertEquals(await race(runners("lacks", "unknown").list, long, false), {
    kind: "unverified",
    index: 1,
  });
});

Deno.test("for an optional file the first live mirror decides", async () => {
  const { list, asked } = runners("fails", Promise.resolve("lacks"), "has");
  assertEquals(await race(list, long, true), { kind: "none" });
  assertEquals(asked, [0, 1]);
  assertEquals(await race(runners("fails", "has").list, long, true), { kind: "has", index: 1 });
});

Deno.test("a list of silent mirrors is not asked all at once", async () => {
  const { list, asked } = runners(...Array.from({ length: 50 }, () => silent));
  await race(list, { stagger: 0, patience: 30, deadline: 60 }, false);
  assert(asked.length <= 4, `asked ${asked.length}`);
});
