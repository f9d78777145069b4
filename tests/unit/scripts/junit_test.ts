import {
  add,
  afterSecondRun,
  type Count,
  countReport,
  type FailedTest,
  NOTHING,
} from "../../../scripts/junit.ts";
import { assertEquals } from "../../assert.ts";

Deno.test("junit: test cases are counted; skipped ones count neither as passed nor as failed", () => {
  const report = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="5" failures="1" errors="0" time="0.010">
    <testsuite name="./a_test.ts" tests="5" disabled="1" errors="0" failures="1">
        <testcase name="good &lt;x&gt;" classname="./a_test.ts" time="0.000" line="1" col="6">
        </testcase>
        <testcase name="bad" classname="./a_test.ts" time="0.002" line="2" col="6">
            <failure message="Uncaught Error: x &lt;/testcase&gt;">at file:///a_test.ts:2:89</failure>
        </testcase>
        <testcase name="skip" classname="./a_test.ts" time="0.000" line="3" col="11">
            <skipped/>
        </testcase>
        <testcase name="short" classname="./a_test.ts"/>
    </testsuite>
</testsuites>`;
  assertEquals(countReport(report), {
    passed: 2,
    failed: [{ file: "a_test.ts", name: "bad", error: "Uncaught Error: x </testcase>" }],
    unstable: [],
  });
  assertEquals(countReport(""), NOTHING);
});

/** Makes tests that failed. */
const failed = (...names: readonly string[]): FailedTest[] =>
  names.map((name) => ({ file: "a_test.ts", name, error: "Error: x" }));

Deno.test("junit: counts of several reports are added", () => {
  assertEquals(
    add(
      { passed: 2, failed: failed("a"), unstable: [] },
      { passed: 3, failed: failed("b"), unstable: failed("c") },
    ),
    { passed: 5, failed: failed("a", "b"), unstable: failed("c") },
  );
});

Deno.test("junit: a test that passes in the second run is unstable, and one that fails then has failed", () => {
  const first = { passed: 7, failed: failed("a", "b"), unstable: [] };
  const second = (...names: readonly string[]): Count => {
    return { passed: 4 - names.length, failed: failed(...names), unstable: [] };
  };
  assertEquals(afterSecondRun(first, second()), {
    passed: 9,
    failed: [],
    unstable: failed("a", "b"),
  });
  assertEquals(afterSecondRun(first, second("b", "c")), {
    passed: 7,
    failed: failed("b", "c"),
    unstable: failed("a"),
  });
});
