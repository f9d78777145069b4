/** `--auth`, `--authfile` and `--auth-upload-only`, from the command line. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { runCommand, Served } from "../program.ts";
import { withFiles } from "../scratch.ts";
import { curl } from "../uploads/inbox.ts";

/** Returns the status that curl gets with a login. */
async function login(server: Served, user: string, ...more: string[]): Promise<number> {
  return (await curl("--digest", "-u", user, ...more, `${server.address}/`)).status;
}

Deno.test("--auth: users can log in, even if their names look like options or numbers", () =>
  withFiles({ "a": "1" }, async (directory) => {
    const words = ["--auth", "alice", "-p", "--auth", "--ssl", "--root", "--auth", "007", "0042"];
    await using server = await Served.start("quickserve", [directory, ...words, "-p", "0"]);
    for (const user of ["alice:-p", "--ssl:--root", "007:0042"]) {
      assertEquals(await login(server, user), 200, user);
    }
    for (const user of ["alice:wrong", "7:42", "mallory:-p"]) {
      assertEquals(await login(server, user), 401, user);
    }
    const { status, headers } = await server.fetch("/");
    assertEquals(status, 401);
    assertMatch(headers.get("WWW-Authenticate") ?? "", /Digest .*SHA-256.*Digest .*MD5/s);
    await server.program.line(/ - alice \[.*"GET \/ HTTP\/1\.1" 200 /);
  }));

Deno.test("--authfile adds users, is reloaded, and causes a warning if other users can read it", () =>
  withFiles({ "users": "bob\nsecret\n", "a": "1" }, async (directory) => {
    await Deno.chmod(`${directory}/users`, 0o644);
    const words = ["--authfile", "users", "--auth", "alice", "x", "a"];
    await using server = await Served.start("quickserve", words, { directory });
    await server.program.line(/warning: --authfile users can be read by every user/);
    assertEquals(await login(server, "bob:secret"), 200);
    assertEquals(await login(server, "alice:x"), 200);
    let from = server.program.lines.length;
    server.program.signal("SIGHUP");
    await server.reloaded(from);
    assertEquals(server.program.output.match(/can be read by every user/g)?.length, 1);
    from = server.program.lines.length;
    await Deno.chmod(`${directory}/users`, 0o600);
    await Deno.writeTextFile(`${directory}/users`, "bob\nchanged\n");
    await server.reloaded(from);
    assertEquals(await login(server, "bob:changed"), 200);
    assertEquals(await login(server, "bob:secret"), 401);
  }));

Deno.test("--authfile: no warning about a file that only its owner can read", () =>
  withFiles({ "users": "bob\nsecret\n", "a": "1" }, async (directory) => {
    await Deno.chmod(`${directory}/users`, 0o600);
    await using server = await Served.start("quickserve", ["--authfile", "users", "a"], {
      directory,
    });
    assert(!server.program.output.includes("warning"));
  }));

Deno.test("--auth-upload-only: reading needs no password", () =>
  withFiles({ "in/": "", "a": "1" }, async (directory) => {
    const words = ["a", "--upload", "in", "--auth", "alice", "x", "--auth-upload-only"];
    await using server = await Served.start("quickserve", words, { directory });
    await server.program.line(/^ {2}login {4}needed to upload$/);
    assertEquals(await server.text("/a"), "1");
    const send = ["-T", `${directory}/a`];
    assertEquals((await curl(...send, `${server.address}/`)).status, 401);
    assertEquals(await login(server, "alice:x", ...send), 201);
    for (const path of ["/", "/some/where"]) {
      // curl first sends an empty POST without a type to get the challenge, and then the form.
      const form = ["-F", `f=@${directory}/a`, server.address + path];
      assertEquals((await curl(...form)).status, 401, path);
      assertEquals((await curl("--digest", "-u", "alice:no", ...form)).status, 401, path);
      assertEquals((await curl("--digest", "-u", "alice:x", ...form)).status, 201, path);
    }
    const names = [...Deno.readDirSync(`${directory}/in`)].map(({ name }) => name).sort();
    assertEquals(names, ["a", "a.1", "a.2"]);
    assertEquals(await server.fileCheck("/a"), ["/a"]);
  }));

Deno.test("--auth and --authfile: impossible users are refused", () =>
  withFiles({ "odd": "bob\nsecret\nalice\n" }, async (directory) => {
    const cases = [
      [2, ["--auth", "alice"], /^quickserve: --auth needs 2 values: <user> <password>\n$/],
      [2, ["--auth", "bob", ""], /^quickserve: --auth: the password of "bob" is empty\n$/],
      [2, ["--auth", "a:b", "x"], /^quickserve: --auth: .*colon.*\n$/],
      [2, ["--auth", "a", "x", "--auth", "a", "y"], /^quickserve: .*"a" is given twice.*\n$/],
      [2, ["--auth-upload-only"], /^quickserve: --auth-upload-only needs a user/],
      [1, ["--authfile", "odd"], /^quickserve: .*odd:4.*\n$/],
      [1, ["--authfile", "gone"], /^quickserve: --authfile gone: .*\n$/],
    ] as const;
    for (const [status, words, message] of cases) {
      const { code, stderr } = await runCommand("quickserve", words, { directory });
      assertEquals(code, status, stderr);
      assertMatch(stderr, message);
    }
  }));
