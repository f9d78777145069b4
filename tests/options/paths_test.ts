/** What is shared: paths, `--root`, `--show-hidden` and `--follow-links`. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { run } from "../lan/process.ts";
import { runCommand, Served, withFiles } from "../program.ts";

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

Deno.test("two paths of the same name, and one that is not there, are refused", () =>
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

Deno.test("--root is the whole server, and says which paths it makes it ignore", () =>
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

Deno.test("--root has to be a directory", () =>
  withFiles({ "file": "" }, async (directory) => {
    for (const path of ["file", "missing"]) {
      const { code, stderr } = await runCommand("quickserve", ["--root", path], { directory });
      assertEquals(code, 1);
      assertMatch(stderr, new RegExp(`^quickserve: --root ${path}.*\\n$`));
    }
  }));

const HIDDEN = { "d/.secret": "s3cret", "d/.dir/in": "s3cret", "d/open": "open" };

Deno.test("what is hidden does not exist, however it is asked for", () =>
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

Deno.test("--show-hidden shares it", () =>
  withFiles(HIDDEN, async (directory) => {
    await using server = await Served.start("quickserve", ["d", "--show-hidden"], { directory });
    assertEquals(await server.names("/d/"), [".dir", ".secret", "open"]);
    assertEquals(await server.text("/d/.secret"), "s3cret");
    assertEquals(await server.fileCheck("d/.secret", "d/.dir/in"), ["d/.dir/in", "d/.secret"]);
  }));

Deno.test("links that lead out are absent, and there with --follow-links", () =>
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
