/** `--filelist`, from the command line: what it shares, and how it is reloaded. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { runCommand, Served } from "../program.ts";
import { withFiles } from "../scratch.ts";

Deno.test("--filelist: a plain list shares the path on each line, relative to the list", () =>
  withFiles({ "lists/list": "../a\n\n../b/c\n", "a/x": "x", "b/c/y": "y" }, async (directory) => {
    await using server = await Served.start("quickserve", ["-f", `${directory}/lists/list`]);
    assertEquals(await server.names(), ["a", "c"]);
    assertEquals(await server.text("/c/y"), "y");
  }));

Deno.test("--filelist: a JSON list merges directories and creates the parents of nested paths", () =>
  withFiles(
    { "one/x": "1", "one/same": "first", "two/y": "2", "two/same": "second" },
    async (directory) => {
      const list = { "a/b/c": ["one", "two"], "a/note.txt": "two/y" };
      await Deno.writeTextFile(`${directory}/list.json`, JSON.stringify(list));
      await using server = await Served.start("quickserve", [
        "--filelist",
        `${directory}/list.json`,
      ]);
      assertEquals(await server.names("/"), ["a"]);
      assertEquals(await server.names("/a/"), ["b", "note.txt"]);
      assertEquals(await server.names("/a/b/c/"), ["same", "x", "y"]);
      assertEquals(await server.text("/a/b/c/same"), "first");
      assertEquals(await server.text("/a/note.txt"), "2");
    },
  ));

Deno.test("--filelist: an edit is used; the warning about a wrong one names line and column, and nothing changes", () =>
  withFiles({ "a/x": "x", "b/y": "y", "list": '{"one": ["a"]}' }, async (directory) => {
    const list = `${directory}/list`;
    await using server = await Served.start("quickserve", ["-f", list, directory]);
    const { program } = server;
    assertEquals(await server.status("/one/x"), 200);
    await Deno.writeTextFile(list, '{\n  "two": ["b"],,\n}\n');
    const complaint = await program.line(/warning: .*list:2:\d+: /);
    assertMatch(complaint, /the last valid configuration stays in force/);
    assertEquals(await server.status("/one/x"), 200);
    const from = program.lines.length;
    // Save as most editors do: another file replaces it.
    await Deno.writeTextFile(`${list}.new`, '{"two": ["b"]}');
    await Deno.rename(`${list}.new`, list);
    await server.reloaded(from);
    assertEquals(await server.text("/two/y"), "y");
    assertEquals(await server.status("/one/x"), 404);
  }));

Deno.test("--filelist: a missing path causes a warning, and is shared once it exists", () =>
  withFiles({ "list": '{"a": ["later"]}' }, async (directory) => {
    const list = `${directory}/list`;
    await using server = await Served.start("quickserve", ["-f", list]);
    const warning = await server.program.line(/warning: /);
    assertStringIncludes(
      warning,
      `--filelist ${list} names ${directory}/later: there is no such file or directory`,
    );
    await Deno.mkdir(`${directory}/later`);
    await Deno.writeTextFile(`${directory}/later/x`, "here");
    assertEquals(await server.text("/a/x"), "here");
  }));

Deno.test("--filelist: the error about a list that is wrong at the start names line and column", () =>
  withFiles({ "list": '{"one": 1}' }, async (directory) => {
    const { code, stderr } = await runCommand("quickserve", ["-f", `${directory}/list`]);
    assertEquals(code, 1);
    assertMatch(stderr, /^quickserve: \S*list:1:9: .*\n$/);
    const missing = await runCommand("quickserve", ["-f", "/nowhere/list"]);
    assertEquals(missing.code, 1);
    assertMatch(missing.stderr, /^quickserve: --filelist \/nowhere\/list: .*\n$/);
  }));

Deno.test("--filelist: a name must be unique on the command line and in plain lists; JSON lists are merged", () =>
  withFiles({ "a/x": "x", "b/a/y": "y", "one": "b/a\n", "two": "\na\n" }, async (directory) => {
    const name = "would both be /a on the server; a JSON filelist can give them different places";
    for (
      const [words, message] of [
        [["a", "-f", "one"], `${directory}/one:1: a and b/a ${name}`],
        [["-f", "one", "-f", "two"], `${directory}/two:2: b/a (${directory}/one:1) and a ${name}`],
      ] as const
    ) {
      const { code, stderr } = await runCommand("quickserve", words, { directory });
      assertEquals([code, stderr], [1, `quickserve: ${message}\n`]);
    }
    await Deno.writeTextFile(`${directory}/json`, '{"a": ["b/a"]}');
    await using server = await Served.start("quickserve", ["a", "-f", "json"], { directory });
    assertEquals(await server.names("/a/"), ["x", "y"]);
  }));

Deno.test("--filelist: a path outside of the old permissions is shared, and a running transfer finishes", () =>
  withFiles({ "a/": "", "b/y": "y", "list": "a" }, async (directory) => {
    const size = 64 << 20;
    const content = new Uint8Array(size).map((_, index) => index >> 12);
    await Deno.writeFile(`${directory}/a/big`, content);
    await using server = await Served.start("quickserve", ["-f", `${directory}/list`]);
    const { body } = await server.fetch("/a/big");
    const reader = body?.getReader();
    assert(reader !== undefined);
    const chunks = [(await reader.read()).value ?? new Uint8Array()];
    const from = server.program.lines.length;
    await Deno.writeTextFile(`${directory}/list`, "b\n");
    await server.reloaded(from);
    assertEquals(await server.text("/b/y"), "y");
    assertEquals(await server.status("/a/big"), 404);
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      chunks.push(part.value);
    }
    const received = new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
    assertEquals(received.length, size);
    assert(received.every((byte, index) => byte === content[index]));
  }));
