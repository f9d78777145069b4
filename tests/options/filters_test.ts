/** `--filter` and `--filterlist`, from the command line. */

import { assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { run } from "../lan/process.ts";
import { runCommand, Served } from "../program.ts";
import { withFiles } from "../scratch.ts";

const FILES = { "d/a.iso": "a", "d/b.txt": "b", "d/sub/c.iso": "c", "d/sub/keep.iso": "k" };

Deno.test("--filter: the last matching filter decides, and a path without a match is shared", () =>
  withFiles(FILES, async (directory) => {
    const words = ["d", "--filter", "x\\.iso$", "--filter", "ikeep", "--tar", "none"];
    await using server = await Served.start("quickserve", words, { directory });
    assertEquals(await server.names("/d/"), ["b.txt", "sub"]);
    assertEquals(await server.names("/d/sub/"), ["keep.iso"]);
    for (const init of [{}, { method: "HEAD" }, { headers: { Range: "bytes=0-" } }]) {
      assertEquals(await server.status("/d/a.iso", init), 404);
      assertEquals(await server.status("/d/sub/keep.iso", init) < 300, true);
    }
    assertEquals(await server.fileCheck("d/a.iso", "d/sub/keep.iso"), ["d/sub/keep.iso"]);
    await Deno.writeFile(`${directory}/all.tar`, await bytes(server, "/d/?tar=none"));
    const listing = (await run(["tar", "-tf", `${directory}/all.tar`])).stdout;
    assertEquals(listing.trim().split("\n").filter((name) => !name.endsWith("/")).sort(), [
      "d/b.txt",
      "d/sub/keep.iso",
    ]);
  }));

async function bytes(server: Served, path: string): Promise<Uint8Array> {
  return new Uint8Array(await (await server.fetch(path)).arrayBuffer());
}

Deno.test("--filter: everything in an excluded directory is excluded, and an include alone changes nothing", () =>
  withFiles(FILES, async (directory) => {
    const words = ["d", "--filter", "x^/d/sub$", "--filter", "ic\\.iso"];
    await using server = await Served.start("quickserve", words, { directory });
    assertEquals(await server.names("/d/"), ["a.iso", "b.txt"]);
    assertEquals(await server.status("/d/sub/c.iso"), 404);
  }));

Deno.test("--filter: sharing one kind of files as in the manual keeps directories without a dot in their name", () =>
  withFiles(
    {
      "m/a.flac": "a",
      "m/a.mp3": "m",
      "m/cd/b.FLAC": "b",
      "m/cd/c.jpg": "c",
      "m/vol.2/d.flac": "d",
    },
    async (directory) => {
      const words = ["m", "--filter", "x\\.[^/]*$", "--filter", "i(?i)\\.flac$"];
      {
        await using server = await Served.start("quickserve", words, { directory });
        assertEquals(await server.names(), ["m"]);
        assertEquals(await server.names("/m/"), ["a.flac", "cd"]);
        assertEquals(await server.names("/m/cd/"), ["b.FLAC"]);
        assertEquals(await server.status("/m/vol.2/d.flac"), 404);
      }
      // Include a directory with a dot by its name. Its entries are filtered as usual.
      const more = [...words, "--filter", "i/vol\\.2$"];
      await using server = await Served.start("quickserve", more, { directory });
      assertEquals(await server.names("/m/"), ["a.flac", "cd", "vol.2"]);
      assertEquals(await server.names("/m/vol.2/"), ["d.flac"]);
    },
  ));

Deno.test("--filterlist comes before the command line, is reloaded, and an error names the line", () =>
  withFiles({ ...FILES, "list": "# comment\n\nx\\.txt$\nikeep\n" }, async (directory) => {
    const words = ["d", "--filter", "xkeep", "--filterlist", `${directory}/list`];
    await using server = await Served.start("quickserve", words, { directory });
    assertEquals(await server.names("/d/"), ["a.iso", "sub"]);
    assertEquals(await server.names("/d/sub/"), ["c.iso"]);
    await Deno.writeTextFile(`${directory}/list`, "x\\.iso$\nx(\n");
    await server.program.line(/warning: .*list:2: .*last valid/);
    assertEquals(await server.names("/d/"), ["a.iso", "sub"]);
    const from = server.program.lines.length;
    await Deno.writeTextFile(`${directory}/list`, "x\\.iso$\n");
    await server.reloaded(from);
    assertEquals(await server.names("/d/"), ["b.txt", "sub"]);
  }));

Deno.test("--filter and --filterlist: the error about an invalid filter names its option or line", () =>
  withFiles({ "list": "x\\.iso$\n\nnonsense\n" }, async (directory) => {
    for (
      const [status, words, message] of [
        [2, ["--filter", "x("], /^quickserve: --filter: .*\n$/],
        [2, ["--filter", "\\.iso$"], /^quickserve: --filter: .*begin with i .* or x/],
        [1, ["--filterlist", "list"], /^quickserve: \S*list:3: .*\n$/],
      ] as const
    ) {
      const { code, stderr } = await runCommand("quickserve", words, { directory });
      assertEquals(code, status);
      assertMatch(stderr, message);
    }
  }));

/** A backtracking engine would try every way to split these letters. */
const HOSTILE = `d/${"a".repeat(250)}!`;

Deno.test("--filter: an expression that would take for ever in other engines delays no request", () =>
  withFiles({ "d/x": "x", [HOSTILE]: "h" }, async (directory) => {
    const words = ["d", "--filter", "x^/d/(a+)+(b|c|a?)*$"];
    await using server = await Served.start("quickserve", words, { directory });
    const signal = AbortSignal.timeout(5000);
    for (const path of [HOSTILE, "d/x"]) {
      await Promise.all(Array.from({ length: 20 }, async () => {
        assertEquals(await server.status(`/${path}`, { signal }), 200);
      }));
    }
    assertStringIncludes(await server.text("/d/", { signal }), "aaa!");
  }));
