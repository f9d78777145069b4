import { Failure } from "../../../src/failure.ts";
import {
  compileFilters,
  parseFilterLine,
  parseFilterList,
  parseFilterOptions,
} from "../../../src/quickserve/filters.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";

Deno.test("parseFilterLine: a filter consists of a letter and an expression", () => {
  assertEquals(parseFilterLine("x\\.iso$"), { action: "exclude", expression: "\\.iso$" });
  assertEquals(parseFilterLine("i i"), { action: "include", expression: " i" });
  for (const line of ["", "i", "x", "\\.iso$", "Xa", "-a"]) {
    assertThrows(() => parseFilterLine(line), Failure);
  }
});

Deno.test("parseFilterList: ignores comments and blank lines, and names the line of an error", async () => {
  const text = "# all but images\r\n\r\nx.\n  # more\ni\\.png$\n";
  assertEquals(await parseFilterList(text, "f"), [
    { action: "exclude", expression: "." },
    { action: "include", expression: "\\.png$" },
  ]);
  await assertRejects(() => parseFilterList("xa\n\nx(", "/etc/f"), Failure, "/etc/f:3: ");
  await assertRejects(() => parseFilterList("xa\nb", "/etc/f"), Failure, "/etc/f:2: ");
  await assertRejects(() => parseFilterOptions(["xa", "x(?=a)"]), Failure, "--filter: ");
});

Deno.test("compileFilters: the last matching filter decides; a path that matches none is shown", async () => {
  const lone = await compileFilters(await parseFilterOptions(["i\\.iso$"]));
  assert(lone("/a.iso") && lone("/b.txt"));
  const filter = await compileFilters(await parseFilterOptions(["x^/a", "i^/a/b", "x\\.tmp$"]));
  assertEquals(["/a", "/a/b", "/a/b/c.tmp", "/z"].map(filter), [false, true, false, true]);
});

Deno.test("compileFilters: no expression takes exponential time", async () => {
  const filter = await compileFilters(
    await parseFilterOptions(["x(a+)+$", "x(a|aa)*b", "x(.*)*(.*)*(.*)*x$"]),
  );
  const started = performance.now();
  for (let round = 0; round < 10; round++) filter("/" + "a".repeat(4000) + "!");
  // With backtracking, this would take longer than the age of the universe.
  assert(performance.now() - started < 5000);
});
