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
      text: "nftables chain inet filter input blocks packets",
      cure: "systemctl enable --now pacserve-ports",
    },
    { name: "peers", result: "unknown", text: "no peer was found yet" },
  ],
};

Deno.test("reportText: lines are aligned and fit the width; cures and a summary follow", () => {
  assertEquals(
    reportText(sick, plain),
    `well     service   it answers at http://localhost:15678
wrong    firewall  nftables chain inet filter input blocks
                   packets
                   -> systemctl enable --now pacserve-ports
unknown  peers     no peer was found yet

One thing is wrong. Unknown: 1.`,
  );
});

Deno.test("reportText: has colours only with isColoured", () => {
  const coloured = reportText(sick, { ...plain, isColoured: true });
  for (const code of [32, 31, 33]) assertStringIncludes(coloured, `\x1b[${code}m`);
  assert(!reportText(sick, plain).includes("\x1b"));
});

Deno.test("reportText: escapes control characters in results", () => {
  const [check] = sick.checks;
  const hostile = { ...sick, checks: [{ ...check!, text: "a\x1b]0;owned\x07b" }] };
  const text = reportText(hostile, plain);
  assert(!text.includes("\x1b") && !text.includes("\x07"), text);
});

Deno.test("reportText: the summary says that nothing is wrong, or that pacserve does not run", () => {
  const well = { isRunning: true, checks: sick.checks.slice(0, 1) };
  assertStringIncludes(reportText(well, plain), "\n\nNothing is wrong.");
  assertStringIncludes(
    reportText({ ...well, isRunning: false }, plain),
    "\n\npacserve does not run.",
  );
});

Deno.test("isAnyWrong: false for unknown results; reportData contains all results", () => {
  const healthy = { ...sick, checks: sick.checks.filter(({ result }) => result !== "wrong") };
  assertEquals([isAnyWrong(sick), isAnyWrong(healthy)], [true, false]);
  assertEquals(reportData(sick), { version: 1, running: true, well: false, checks: sick.checks });
});
