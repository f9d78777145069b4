/** pacman's own parser reads pacsrv's copy of a configuration. */

import { join } from "node:path";
import { copyConfiguration } from "../../src/pacman/configuration_copy.ts";
import { assertEquals } from "../assert.ts";
import { inScratch } from "../scratch.ts";

Deno.test("pacsrv: pacman-conf reads the same from the copy, but with pacserve as the first server", async () => {
  await inScratch(async (directory) => {
    const write = (name: string, text: string): Promise<void> =>
      Deno.writeTextFile(join(directory, name), text);
    await write(
      "mirrorlist",
      "## \xdcbersee\nServer = http://one/$repo\nServer = http://two/$repo",
    );
    await write("a.repo", `[a]\nServer = http://a/\nInclude = ${directory}/deep/*`);
    await write("b.repo", `Server = http://still-a/\n[b]\nInclude = ${directory}/mirrorlist\n`);
    await Deno.mkdir(join(directory, "deep"));
    await write("deep/1", "Server = http://deeper-a/\n");
    await write("deep/2", "[deep]\r\nServer = http://deep/$arch\r\n");
    await write(
      "pacman.conf",
      `[options]\nArchitecture = x86_64\nHoldPkg = pacman\n\n  [core]  \n` +
        `SigLevel = Never\nInclude=${directory}/mirrorlist\nInclude = ${directory}/*.repo\n` +
        `Server = http://last-b/\n[options]\nColor\n[z]\nServer = http://z/`,
    );
    const original = join(directory, "pacman.conf");
    const cache = join(directory, "cache");
    const copy = await copyConfiguration(original, cache, Deno.uid() ?? 0);
    await write("pacserve", "Server = http://pacserve/$repo/$arch\n");
    for await (const { name } of Deno.readDir(cache)) {
      // The included file does not exist on every machine that runs this test.
      const text = await Deno.readTextFile(join(cache, name));
      const moved = text.replaceAll("/etc/pacman.d/pacserve", join(directory, "pacserve"));
      await Deno.writeTextFile(join(cache, name), moved);
    }
    const [meant, copied] = [await pacmanConf(original), await pacmanConf(copy)];
    assertEquals(copied.replace(/^Server = http:\/\/pacserve\/.*\n/gm, ""), meant);
    for (const repository of ["core", "a", "deep", "b", "z"]) {
      const [first] = (await pacmanConf(copy, "--repo", repository, "Server")).split("\n");
      assertEquals(first, `http://pacserve/${repository}/x86_64`);
    }
  });
});

async function pacmanConf(configuration: string, ...words: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("pacman-conf", {
    args: ["--config", configuration, ...words],
  }).output();
  assertEquals([success, new TextDecoder().decode(stderr)], [true, ""]);
  return new TextDecoder().decode(stdout);
}
