import { add, countReport } from "../../../scripts/junit.ts";
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
  assertEquals(countReport(report), { passed: 2, failed: 1 });
  assertEquals(countReport(""), { passed: 0, failed: 0 });
});

Deno.test("junit: counts of several reports are added", () => {
  assertEquals(add({ passed: 2, failed: 1 }, { passed: 3, failed: 0 }), { passed: 5, failed: 1 });
});
