import { isAnyWrong, reportData, reportText } from "../../../src/doctor/report.ts";
import type { Examination } from "../../../src/doctor/doctor.ts";
import { assert, assertEquals, assertStringIncludes } from "../../assert.ts";

const plain = { width: 60, isColoured: false };

const sick: Examination = {
  isRunning: true,
  checks: [
    { name: "service", result: "well", text: "it answers at http://localhost:15678" },
    {
      name: "firewall",
      result: "wrong",
      text: "nftables chain inet filter input turns packets away",
      cure: "systemctl enable --now pacserve-ports",
    },
    { name: "peers", result: "unknown", text: "no peer was heard yet" },
  ],
};

Deno.test("reportText: aligned, within the width, the cure below what it cures, a sentence at the end", () => {
  assertEquals(
    reportText(sick, plain),
    `well     service   it answers at http://localhost:15678
wrong    firewall  nftables chain inet filter input turns
                   packets away
                   -> systemctl enable --now pacserve-ports
unknown  peers     no peer was heard yet

One thing is wrong. Of 1 it could not be told.`,
  );
});

Deno.test("reportText: colours only where they are wanted", () => {
  const coloured = reportText(sick, { ...plain, isColoured: true });
  for (const code of [32, 31, 33]) assertStringIncludes(coloured, `\x1b[${code}m`);
  assert(!reportText(sick, plain).includes("\x1b"));
});

Deno.test("reportText: control characters of others do not reach the terminal", () => {
  const [check] = sick.checks;
  const hostile = { ...sick, checks: [{ ...check!, text: "a\x1b]0;owned\x07b" }] };
  const text = reportText(hostile, plain);
  assert(!text.includes("\x1b") && !text.includes("\x07"), text);
});

Deno.test("reportText: all well, and not running", () => {
  const well = { isRunning: true, checks: sick.checks.slice(0, 1) };
  assertStringIncludes(reportText(well, plain), "\n\nNothing is wrong.");
  assertStringIncludes(
    reportText({ ...well, isRunning: false }, plain),
    "\n\npacserve does not run.",
  );
});

Deno.test("reportData and isAnyWrong: an unknown is not wrong", () => {
  const healthy = { ...sick, checks: sick.checks.filter(({ result }) => result !== "wrong") };
  assertEquals([isAnyWrong(sick), isAnyWrong(healthy)], [true, false]);
  assertEquals(reportData(sick), { version: 1, running: true, well: false, checks: sick.checks });
});
