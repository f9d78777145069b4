/** The check of the clock: whose clock is wrong. */

import { judgeClocks } from "../../../src/doctor/checks/mirrors.ts";
import { assertEquals, assertMatch } from "../../assert.ts";

const HOURS = 3_600_000;

/** Returns the result for clocks that are ahead by these hours. */
function judged(...ahead: readonly number[]): { result: string; text: string } {
  return judgeClocks(
    ahead.map((hours, index) => ({ whose: `host${index}`, ahead: hours * HOURS })),
  );
}

Deno.test("judgeClocks: the host's clock is wrong if most of the others say so", () => {
  for (const ahead of [[2], [2, 2], [2, 2, 0], [2, 2, 2, 0]]) {
    assertMatch(judged(...ahead).text, /^this host's clock is 2 hours late, according to host0/);
    assertMatch(judged(...ahead.map((each) => -each)).text, /^this host's clock is 2 hours early/);
  }
});

Deno.test("judgeClocks: otherwise the others that deviate are wrong", () => {
  for (const [ahead, word] of [[2, "early"], [-2, "late"]] as const) {
    for (const others of [[0], [0, 0], [0, 0, ahead]]) {
      const { result, text } = judged(ahead, ...others);
      assertEquals(result, "wrong");
      assertMatch(text, new RegExp(`^the clock of host0 \\(2 hours ${word}\\).* is wrong$`));
    }
  }
});

Deno.test("judgeClocks: well if all agree, and unknown without other clocks", () => {
  assertEquals(judged(0.01, -0.01).text, "this host's clock agrees with 2 others");
  assertEquals(judged(0).text, "this host's clock agrees with host0");
  assertEquals(judged().result, "unknown");
});
