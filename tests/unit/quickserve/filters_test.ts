import { Failure } from "../../../src/failure.ts";
import {
  compileFilters,
  parseFilterLine,
  parseFilterList,
  parseFilterOptions,
} from "../../../src/quickserve/filters.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";

Deno.test("parseFilterLine: a filter is a letter and an expression", () => {
  assertEquals(parseFilterLine("x\\.iso$"), { action: "exclude", expression: "\\.iso$" });
  assertEquals(parseFilterLine("i i"), { action: "include", expression: " i" });
  for (const line of ["", "i", "x", "\\.iso$", "Xa", "-a"]) {
    assertThrows(() => parseFilterLine(line), Failure);
  }
});

Deno.test("parseFilterList: a filterlist has comments and blank lines, and names the line that is wrong", async () => {
  const text = "# all but images\r\n\r\nx.\n  # more\ni\\.png$\n";
  assertEquals(await parseFilterList(text, "f"), [
    { action: "exclude", expression: "." },
    { action: "include", expression: "\\.png$" },
  ]);
  await assertRejects(() => parseFilterList("xa\n\nx(", "/etc/f"), Failure, "/etc/f:3: ");
  await assertRejects(() => parseFilterList("xa\nb", "/etc/f"), Failure, "/etc/f:2: ");
  await assertRejects(() => parseFilterOptions(["xa", "x(?=a)"]), Failure, "--filter: ");
});

Deno.test("compileFilters: the last filter that matches decides, and none shows", async () => {
  const lone = await compileFilters(await parseFilterOptions(["i\\.iso$"]));
  assert(lone("/a.iso") && lone("/b.txt"));
  const filter = await compileFilters(await parseFilterOptions(["x^/a", "i^/a/b", "x\\.tmp$"]));
  assertEquals(["/a", "/a/b", "/a/b/c.tmp", "/z"].map(filter), [false, true, false, true]);
});

Deno.test("compileFilters: no expression stalls on any path", async () => {
  const filter = await compileFilters(
    await parseFilterOptions(["x(a+)+$", "x(a|aa)*b", "x(.*)*(.*)*(.*)*x$"]),
  );
  const started = performance.now();
  for (let round = 0; round < 10; round++) filter("/" + "a".repeat(4000) + "!");
  // With backtracking this takes longer than the universe has had.
  assert(performance.now() - started < 5000);
});
