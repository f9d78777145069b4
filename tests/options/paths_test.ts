/** The paths on the command line, `--root`, `--show-hidden` and `--follow-links`. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { run } from "../lan/process.ts";
import { runCommand, Served, UNDER_MODES } from "../program.ts";
import { inScratch, shell, withFiles } from "../scratch.ts";

Deno.test("paths are shared under their own names", () =>
  withFiles({ "music/a.mp3": "a", "notes.txt": "n", "other/secret": "s" }, async (directory) => {
    await using server = await Served.start("quickserve", ["music/", "./notes.txt"], { directory });
    assertEquals(await server.names(), ["music", "notes.txt"]);
    assertEquals(await server.text("/music/a.mp3"), "a");
    assertEquals(await server.text("/notes.txt"), "n");
    for (const path of ["/other/secret", "/music/../other/secret", "/music/%2e%2e/other/secret"]) {
      assertEquals((await run(["curl", "-s", "--path-as-is", server.address + path])).code, 0);
      assert(!(await server.text(path)).includes("s\n"), path);
    }
    assertEquals(await server.status("/other/secret"), 404);
  }));

Deno.test("without a path the current directory is shared", () =>
  withFiles({ "a": "1", "b/c": "2" }, async (directory) => {
    await using server = await Served.start("quickserve", [], { directory });
    assertEquals(await server.names(), ["a", "b"]);
    assertStringIncludes(server.program.output, directory);
  }));

Deno.test("an unreadable path causes a warning at start, and an unreadable entry of a share when it is requested", () =>
  withFiles(
    { "d/open": "o", "d/closed": "c", "d/sub/in": "i", "d/list/in": "l" },
    async (directory) => {
      await Deno.chmod(`${directory}/d/closed`, 0o000);
      await Deno.chmod(`${directory}/d/sub`, 0o000);
      // It can be listed, but its entries cannot be accessed.
      await Deno.chmod(`${directory}/d/list`, 0o444);
      {
        const words = ["d", "--verbose", "--tar", "none"];
        await using server = await Served.start("quickserve", words, { directory }, UNDER_MODES);
        assertEquals(await server.names("/d/"), ["list", "open"]);
        assertEquals(await server.status("/d/closed"), 404);
        assert(!(await server.text("/d/?tar=none")).includes("closed"));
        const { entries } = await (await server.fetch("/?search=n&mimetype=application/json"))
          .json();
        assertEquals(entries.map(({ name }: { name: string }) => name), ["d/open"]);
        await server.program.line(/GET \/d\/\?tar/);
        const said = server.program.lines.filter((line) => line.includes("not shared"));
        assertEquals(said.sort(), [
          `not shared: ${directory}/d/closed: permission denied`,
          `not shared: ${directory}/d/list/in: permission denied`,
          `not shared: ${directory}/d/sub: permission denied`,
        ]);
      }
      await Deno.writeTextFile(`${directory}/l.json`, '{"a": ["d/sub", "gone"], "o": []}');
      const options = { directory: `${directory}/d/list` };
      await Deno.chmod(options.directory, 0o111);
      for (const words of [[], ["-f", "../../l.json"]]) {
        await using server = await Served.start("quickserve", words, options, UNDER_MODES);
        const lines = await started(server);
        if (words.length === 0) {
          assertStringIncludes(
            lines,
            `warning: cannot share ${options.directory}: permission denied`,
          );
          assertStringIncludes(lines, `/ <- ${options.directory} (not readable)`);
        } else {
          const sources = `${directory}/d/sub (not readable), ${directory}/gone (missing)`;
          assertStringIncludes(lines, `/a <- ${sources}`);
          assertStringIncludes(lines, "/o <- (nothing)");
        }
      }
      for (const path of ["d/sub", "d/list"]) await Deno.chmod(`${directory}/${path}`, 0o755);
    },
  ));

/** Returns the lines of the start. They are all written before the first request is answered. */
async function started(server: Served): Promise<string> {
  await server.status("/?page=about");
  await server.program.line(/page=about/);
  return server.program.output;
}

Deno.test("two paths of the same name, and a missing path, are refused", () =>
  withFiles({ "one/x": "1", "two/x": "2" }, async (directory) => {
    const twice = await runCommand("quickserve", ["one/x", "two/x"], { directory });
    assertEquals([twice.code, twice.stdout], [2, ""]);
    assertMatch(
      twice.stderr,
      /^quickserve: one\/x and two\/x would both be \/x on the server.*\n$/,
    );
    const missing = await runCommand("quickserve", ["three"], { directory });
    assertEquals(missing.code, 1);
    assertMatch(missing.stderr, /^quickserve: .*three.* no such file or directory\n$/);
  }));

Deno.test("--root is the root of the server, and causes a warning about other paths", () =>
  withFiles(
    { "site/index.html": "<p>site</p>", "other/x": "x", "list": "other" },
    async (directory) => {
      const words = ["--root", "site", "other", "-f", "list"];
      await using server = await Served.start("quickserve", words, { directory });
      assertEquals(await server.names(), ["index.html"]);
      assertEquals(await server.status("/other/"), 404);
      assertMatch(server.program.output, /warning: .*--root.* ignored/);
    },
  ));

Deno.test("--root must be a directory", () =>
  withFiles({ "file": "" }, async (directory) => {
    for (const path of ["file", "missing"]) {
      const { code, stderr } = await runCommand("quickserve", ["--root", path], { directory });
      assertEquals(code, 1);
      assertMatch(stderr, new RegExp(`^quickserve: --root ${path}.*\\n$`));
    }
  }));

const HIDDEN = { "d/.secret": "s3cret", "d/.dir/in": "s3cret", "d/open": "open" };

Deno.test("hidden files are treated as missing in every kind of request", () =>
  withFiles(HIDDEN, async (directory) => {
    await using server = await Served.start("quickserve", ["d", "--tar", "none", "zip"], {
      directory,
    });
    assertEquals(await server.names("/d/"), ["open"]);
    for (const path of ["/d/.secret", "/d/.dir/in", "/d/.dir/", "/d/.dir", "/d/%2esecret"]) {
      assertEquals(await server.status(path), 404, path);
      assertEquals(await server.status(path, { method: "HEAD" }), 404, path);
      assertEquals(await server.status(path, { headers: { Range: "bytes=0-1" } }), 404, path);
      assertEquals(await server.status(path, { headers: { "If-None-Match": "*" } }), 404, path);
    }
    assertEquals(await server.fileCheck("d/.secret", "d/.dir/in", "d/open"), ["d/open"]);
    for (const format of ["none", "zip"]) {
      const archive = await server.text(`/d/?tar=${format}`);
      assertStringIncludes(archive, "open");
      assert(!archive.includes("s3cret") && !archive.includes(".dir"));
    }
  }));

Deno.test("--show-hidden shares hidden files", () =>
  withFiles(HIDDEN, async (directory) => {
    await using server = await Served.start("quickserve", ["d", "--show-hidden"], { directory });
    assertEquals(await server.names("/d/"), [".dir", ".secret", "open"]);
    assertEquals(await server.text("/d/.secret"), "s3cret");
    assertEquals(await server.fileCheck("d/.secret", "d/.dir/in"), ["d/.dir/in", "d/.secret"]);
  }));

Deno.test("--follow-links: links that lead out of the share are hidden without it, and followed with it", () =>
  withFiles({ "d/in": "in", "out/file": "out" }, async (directory) => {
    await Deno.symlink("../out/file", `${directory}/d/file`);
    await Deno.symlink("../out", `${directory}/d/dir`);
    await Deno.symlink("in", `${directory}/d/inside`);
    {
      await using server = await Served.start("quickserve", ["d"], { directory });
      assertEquals(await server.names("/d/"), ["in", "inside"]);
      assertEquals(await server.status("/d/file"), 404);
      assertEquals(await server.text("/d/inside"), "in");
    }
    await using server = await Served.start("quickserve", ["d", "--follow-links"], { directory });
    assertEquals(await server.names("/d/"), ["dir", "file", "in", "inside"]);
    assertEquals(await server.text("/d/dir/file"), "out");
  }));

Deno.test("a path that is not a file or directory, or that is not readable, is refused in a sentence", () =>
  inScratch(async (directory) => {
    shell(directory, "mkfifo pipe");
    for (
      const [path, reason] of [
        ["pipe", "it is neither a file nor a directory"],
        ["/dev/null", "it is neither a file nor a directory"],
        ["/proc", "the runtime does not let a confined program use it"],
      ] as const
    ) {
      const { code, stderr } = await runCommand("quickserve", [path], { directory });
      assertEquals([code, stderr], [1, `quickserve: cannot share ${path}: ${reason}\n`]);
    }
  }));
