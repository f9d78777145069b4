/** `--print-permissions`: what it says is what the worker gets. */

import { assertEquals, assertMatch } from "../assert.ts";
import { programCommand } from "../lan/pacserve.ts";
import { must } from "../lan/process.ts";
import { inScratch, shell, writeFiles } from "../unit/quickserve/scratch.ts";

/** The paths behind a word of the worker's part of the text. */
function paths(text: string, word: string): string[] {
  const worker = text.slice(0, text.indexOf("The main thread"));
  const lines = new RegExp(`^  ${word} +(.*(?:\n {12}.*)*)$`, "m").exec(worker)?.[1] ?? "";
  return lines.split("\n").map((line) => line.trim());
}

Deno.test("the permissions of a command line are its shares, its upload directory, and nothing else", async () => {
  await inScratch(async (top) => {
    writeFiles(top, { "s/file": "file", "up/old": "old", "elsewhere/file": "file" });
    shell(top, "ln -s elsewhere link");
    const shown = async (...words: string[]): Promise<string> =>
      await must([...programCommand("quickserve"), "--print-permissions", ...words]);

    const shared = await shown(`${top}/s`, `${top}/link`);
    assertEquals(paths(shared, "read"), [`${top}/elsewhere`, `${top}/link`, `${top}/s`]);
    assertEquals(paths(shared, "write"), ["nothing"]);
    assertMatch(shared, /run, load native code, see the environment, import code: nothing/);
    assertMatch(shared, /main thread[^]*write +nothing[^]*run +nothing/);

    const uploads = await shown("--upload", `${top}/up`);
    assertEquals([paths(uploads, "read"), paths(uploads, "write")], [[`${top}/up`], [`${top}/up`]]);
  });
});

Deno.test("pacserve's worker reads the caches that pacman.conf names; its main thread runs pacman-conf", async () => {
  await inScratch(async (top) => {
    const lines = [
      "[options]",
      `RootDir = ${top}`,
      `DBPath = ${top}/db`,
      `CacheDir = ${top}/cache`,
    ];
    writeFiles(top, { "pacman.conf": lines.join("\n"), "cache/x": "", "db/x": "" });
    const text = await must([
      ...programCommand("pacserve"),
      "--pacman-conf",
      `${top}/pacman.conf`,
      "--print-permissions",
    ]);
    assertEquals(paths(text, "read").map((path) => path.replace(/\/$/, "")), [`${top}/cache`]);
    assertEquals(paths(text, "write"), ["nothing"]);
    assertMatch(text, /main thread[^]*run +\/\S+\/pacman-conf$/m);
  });
});
