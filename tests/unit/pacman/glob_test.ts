import { assertEquals } from "../../assert.ts";
import { expandGlob, segmentExpression } from "../../../src/pacman/glob.ts";

const cases: readonly [string, readonly string[], readonly string[]][] = [
  ["*.conf", ["a.conf", ".conf"], ["a.conf.bak", "aconf"]],
  ["a?c", ["abc", "a.c"], ["ac", "abbc"]],
  ["[a-c]x", ["ax", "cx"], ["dx", "-x"]],
  ["[!a-c]x", ["dx"], ["ax"]],
  ["[^a]x", ["bx"], ["ax"]],
  ["[]]x", ["]x"], ["x"]],
  ["[!]]x", ["ax"], ["]x"]],
  ["[abc", ["[abc"], ["a"]],
  ["\\*", ["*"], ["a"]],
  ["{a,b}", ["{a,b}"], ["a", "b"]],
  ["a+(b)", ["a+(b)"], ["aab"]],
  ["[z-a]", [], ["z", "a", "b"]],
  ["**", ["abc"], []],
  ["é*", ["é", "été"], ["e"]],
];

for (const [pattern, matching, others] of cases) {
  Deno.test(`the wildcard ${pattern}`, () => {
    const expression = segmentExpression(pattern);
    for (const name of matching) assertEquals(expression.test(name), true, name);
    for (const name of others) assertEquals(expression.test(name), false, name);
  });
}

Deno.test("wildcards match in directories, too, and the answer is sorted", async () => {
  const directory = await Deno.makeTempDir({ prefix: "glob_" });
  try {
    for (const path of ["b/x.conf", "a/x.conf", "a/y.conf", ".h/x.conf", "c"]) {
      if (path.includes("/")) {
        await Deno.mkdir(`${directory}/${path.split("/")[0]}`, { recursive: true });
      }
      await Deno.writeTextFile(`${directory}/${path}`, "");
    }
    const found = await expandGlob(`${directory}/*/x*.conf`);
    assertEquals(found.paths, [`${directory}/a/x.conf`, `${directory}/b/x.conf`]);
    assertEquals(found.directories[0], directory);
    assertEquals(await expandGlob(`${directory}/nothing/*`), {
      paths: [],
      directories: [],
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
