import { assertEquals } from "../../assert.ts";
import { withFiles } from "../../scratch.ts";
import { expandGlob } from "../../../src/pacman/glob.ts";

const cases: readonly [string, readonly string[], readonly string[]][] = [
  ["*.conf", ["a.conf"], [".conf", "a.conf.bak", "aconf"]],
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
  Deno.test(`the wildcard ${pattern}`, async () => {
    const files = Object.fromEntries([...matching, ...others].map((name) => [name, ""]));
    await withFiles(files, async (directory) => {
      const { paths } = await expandGlob(`${directory}/${pattern}`);
      assertEquals(paths, matching.map((name) => `${directory}/${name}`).toSorted());
    });
  });
}

Deno.test("wildcards match in directories, too, and the answer is sorted", async () => {
  const files = { "b/x.conf": "", "a/x.conf": "", "a/y.conf": "", ".h/x.conf": "", "c": "" };
  await withFiles(files, async (directory) => {
    const found = await expandGlob(`${directory}/*/x*.conf`);
    assertEquals(found.paths, [`${directory}/a/x.conf`, `${directory}/b/x.conf`]);
    assertEquals(found.directories[0], directory);
    assertEquals(await expandGlob(`${directory}/nothing/*`), {
      paths: [],
      directories: [],
    });
  });
});
