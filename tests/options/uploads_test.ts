/** `--upload` and its options, from the command line. */

import { assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { eventually } from "../lan/process.ts";
import { runCommand, Served } from "../program.ts";
import { withFiles } from "../scratch.ts";
import { curl } from "../uploads/inbox.ts";

Deno.test("--upload: curl uploads with a form and with PUT; a used name gets a number, which the answer shows", () =>
  withFiles({ "in/": "", "a.txt": "hello", "b.txt": "world" }, async (directory) => {
    await using server = await Served.start("quickserve", ["--upload", "in"], { directory });
    const file = `${directory}/a.txt`;
    assertEquals((await curl("-T", file, `${server.address}/`)).status, 201);
    const again = await curl("-T", file, `${server.address}/`);
    assertStringIncludes(again.body, "a.1.txt");
    const form = await curl(
      "-F",
      `f=@${file}`,
      "-F",
      `g=@${directory}/b.txt`,
      `${server.address}/x/`,
    );
    assertEquals(form.status, 201);
    assertStringIncludes(form.body, "a.2.txt");
    const names = [...Deno.readDirSync(`${directory}/in`)].map(({ name }) => name).sort();
    assertEquals(names, ["a.1.txt", "a.2.txt", "a.txt", "b.txt"]);
    // The upload directory is not shared unless it is named.
    await server.program.line(/^ {2}shared {3}nothing$/);
    await server.program.line(/^ {2}uploads .*\/in \(from everybody: no user is configured\)$/);
    assertEquals(await server.status("/a.txt"), 404);
  }));

Deno.test("--upload with --auth: without a login no kind of request stores a file anywhere", () =>
  withFiles({ "in/sub/": "", "a.txt": "hello" }, async (directory) => {
    const words = ["--upload", "in", "in", "--auth", "alice", "secret"];
    await using server = await Served.start("quickserve", words, { directory });
    const file = `${directory}/a.txt`;
    const ways = [["-T", file], ["-F", `f=@${file}`]];
    const refuses = async (...words: string[]): Promise<void> => {
      const { status, body } = await curl(...words);
      assertEquals([status, body], [401, "This request needs a user name and a password.\n"]);
    };
    for (const way of ways) {
      for (const path of ["/", "/in/sub/"]) await refuses(...way, server.address + path);
    }
    await refuses("--digest", "-u", "alice:wrong", "-T", file, `${server.address}/in/sub/`);
    assertEquals(await Array.fromAsync(Deno.readDir(`${directory}/in/sub`)), []);
    const login = ["--digest", "-u", "alice:secret"];
    for (const way of ways) {
      assertEquals((await curl(...login, ...way, `${server.address}/in/sub/`)).status, 201);
    }
    const names = [...Deno.readDirSync(`${directory}/in/sub`)].map(({ name }) => name).sort();
    assertEquals(names, ["a.1.txt", "a.txt"]);
  }));

Deno.test("--upload with --root: files are stored in the upload directory, and the site is unchanged", () =>
  withFiles({ "in/": "", "site/docs/index.html": "x", "a.txt": "hello" }, async (directory) => {
    const words = ["--root", "site", "--upload", "in"];
    await using server = await Served.start("quickserve", words, { directory });
    const file = `${directory}/a.txt`;
    assertEquals((await curl("-T", file, `${server.address}/`)).status, 201);
    assertEquals((await curl("-F", `f=@${file}`, `${server.address}/docs/`)).status, 201);
    const refused = await curl("-T", file, `${server.address}/docs/`);
    assertEquals(refused.status, 409);
    assertStringIncludes(refused.body, "This directory does not accept uploads");
    assertEquals(await server.names("/docs/"), ["index.html"]);
    assertEquals(await Deno.readTextFile(`${directory}/in/a.1.txt`), "hello");
  }));

Deno.test("--upload: PUT stores a file in an existing directory of the upload directory, and creates no directory", () =>
  withFiles({ "in/sub dir/": "", "other/": "", "a.txt": "hello" }, async (directory) => {
    const words = ["--upload", "in", "in", "other"];
    await using server = await Served.start("quickserve", words, { directory });
    const put = (path: string): ReturnType<typeof curl> =>
      curl("-T", `${directory}/a.txt`, server.address + path);
    assertEquals((await put("/in/sub%20dir/")).status, 201);
    assertEquals((await put("/in/sub%20dir/b.txt")).status, 201);
    for (const path of ["/in/none/c.txt", "/other/c.txt", "/in/a.txt/c.txt"]) {
      assertEquals((await put(path)).status, 409, path);
    }
    assertEquals(await server.names("/in/sub%20dir/"), ["a.txt", "b.txt"]);
    assertEquals(await server.names("/other/"), []);
  }));

Deno.test("--allow-overwrite replaces a file, even if it is shared, too", () =>
  withFiles({ "in/a.txt": "old", "a.txt": "new" }, async (directory) => {
    const words = ["--upload", "in", "--allow-overwrite", "in"];
    await using server = await Served.start("quickserve", words, { directory });
    assertEquals(await server.text("/in/a.txt"), "old");
    assertEquals((await curl("-T", `${directory}/a.txt`, `${server.address}/`)).status, 200);
    assertEquals(await server.text("/in/a.txt"), "new");
    assertEquals(await server.names("/in/"), ["a.txt"]);
  }));

Deno.test("--max-upload-size: a larger upload is refused and leaves nothing", () =>
  withFiles(
    { "in/": "", "small": "x".repeat(1024), "big": "x".repeat(1025) },
    async (directory) => {
      const words = ["--upload", "in", "--max-upload-size", "1K"];
      await using server = await Served.start("quickserve", words, { directory });
      assertEquals((await curl("-T", `${directory}/small`, `${server.address}/`)).status, 201);
      for (const how of [["-T", `${directory}/big`], ["-F", `f=@${directory}/big`]]) {
        assertEquals((await curl(...how, `${server.address}/`)).status, 413);
      }
      assertEquals([...Deno.readDirSync(`${directory}/in`)].map(({ name }) => name), ["small"]);
    },
  ));

Deno.test("--upload: a file that is posted without a form is refused, and the answer explains how to send it", () =>
  withFiles({ "in/": "", "a": "1" }, async (directory) => {
    await using server = await Served.start("quickserve", ["--upload", "in"], { directory });
    for (const [path, refusal] of [["/", 400], ["/a", 415]] as const) {
      const { status, body } = await curl(
        "--data-binary",
        `@${directory}/a`,
        server.address + path,
      );
      assertEquals(status, refusal);
      assertStringIncludes(body, "Post a form (multipart/form-data), or PUT the file to /name.");
    }
    assertEquals([...Deno.readDirSync(`${directory}/in`)], []);
  }));

Deno.test("--upload: unfinished files of a killed server are removed by the next one", () =>
  withFiles({ "in/whole": "1" }, async (directory) => {
    const words = ["--upload", "in", "--verbose"];
    const names = (): string[] => {
      return [...Deno.readDirSync(`${directory}/in`)].map(({ name }) => name).sort();
    };
    {
      await using server = await Served.start("quickserve", words, { directory });
      using connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
      const head = "PUT /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n";
      await connection.write(new TextEncoder().encode(head + "x".repeat(1000)));
      await eventually("an unfinished file", () => names().length === 2);
      await server.program.kill();
    }
    assertMatch(names().join(" "), /^\.pacserve-upload-\S+ whole$/);
    await using server = await Served.start("quickserve", words, { directory });
    await server.program.line(/^removed 1 unfinished upload of a server that died$/);
    assertEquals(names(), ["whole"]);
  }));

Deno.test("without --upload every upload is refused", () =>
  withFiles({ "a": "1" }, async (directory) => {
    await using server = await Served.start("quickserve", [directory]);
    const { status, body } = await curl("-T", `${directory}/a`, `${server.address}/`);
    assertEquals(status, 405);
    assertStringIncludes(body, "--upload");
  }));

Deno.test("--upload: impossible values of its options are refused", () =>
  withFiles({ "file": "" }, async (directory) => {
    const cases = [
      [1, ["--upload", "missing"], /--upload missing: there is no such file or directory/],
      [1, ["--upload", "file"], /--upload file is not a directory/],
      [2, ["--allow-overwrite"], /--allow-overwrite needs --upload/],
      [2, ["--max-upload-size", "1G"], /--max-upload-size needs --upload/],
      [2, ["--upload", ".", "--max-upload-size", "big"], /--max-upload-size: "big" is not a size/],
    ] as const;
    for (const [status, words, message] of cases) {
      const { code, stderr } = await runCommand("quickserve", words, { directory });
      assertEquals(code, status);
      assertMatch(stderr, message);
    }
  }));
