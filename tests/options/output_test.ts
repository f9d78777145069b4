/** The output of the program, its exit status, and its errors. */

import { connect } from "node:net";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { launched, runCommand, Served } from "../program.ts";
import { shell, withFiles } from "../scratch.ts";
import { eventually, run, RunningProgram } from "../lan/process.ts";

Deno.test("--help fits in 80 columns and has the groups of the manual in the same order", async () => {
  for (const name of ["quickserve", "pacserve"]) {
    const { code, stdout, stderr } = await runCommand(name, ["--help"]);
    assertEquals([code, stderr], [0, ""]);
    for (const line of stdout.split("\n")) assert(line.length <= 80, line);
    const groups = [
      ...name === "pacserve" ? ["Pacserve Options:"] : [],
      ...[
        "File Download Options:",
        "File Upload Options:",
        "Content Options:",
        "MulticastQuickserve Options:",
      ],
      ...["Server Address and Port:", "HTTP Authentication:", "SSL (HTTPS):", "Multicast Options:"],
    ];
    const titles = stdout.split("\n").filter((line) => groups.includes(line));
    assertEquals(titles, groups);
    assertMatch(stdout, name === "pacserve" ? /Default: 15678/ : /Default: 8000/);
  }
  assertEquals((await runCommand("quickserve", ["-h"])).code, 0);
});

Deno.test("--version prints the name and the version", async () => {
  assertMatch(
    (await runCommand("quickserve", ["--version"])).stdout,
    /^quickserve \d+\.\d+\.\d+\n$/,
  );
  assertMatch((await runCommand("pacserve", ["--version"])).stdout, /^pacserve \d+\.\d+\.\d+\n$/);
});

Deno.test("wrong usage: one sentence with the option, and exit status 2", async () => {
  const cases = [
    [["--prot", "80"], /unknown option --prot \(did you mean --port\?\)/],
    [["--list-remot"], /did you mean --list-remote\?/],
    [["--pacman-conf", "x"], /unknown option --pacman-conf/],
    [["--foo"], /unknown option --foo \(see --help\)/],
    [[""], /an empty path cannot be shared/],
    [["-z"], /unknown option -z \(see --help\)/],
    [["--port"], /--port needs a value: <port>/],
    [["--ssl=yes"], /--ssl takes no value/],
    [["--root", "/tmp", "--root", "/tmp"], /--root was given twice/],
    [["--multicast", "--multicast-group", "10.0.0.1"], /--multicast-group: "10\.0\.0\.1" is no/],
    [
      ["--multicast", "--multicast-interval", "0"],
      /--multicast-interval: "0" is not a whole number/,
    ],
    [["--search-timeout", "soon"], /--search-timeout: "soon" is not a whole number/],
    [["--index", "../secret"], /--index: "\.\.\/secret" is not the name of a file/],
    [["--server-name", "http://x"], /--server-name: "http:\/\/x" is not the name of a host/],
    [["--quiet", "--verbose"], /--quiet and --verbose exclude each other/],
    [["--peer", "ftp://host/"], /--peer: "ftp:\/\/host\/" is not an address such as/],
  ] as const;
  for (const [words, message] of cases) {
    const { code, stdout, stderr } = await runCommand("quickserve", words);
    assertEquals([code, stdout], [2, ""], words.join(" "));
    assertMatch(stderr, /^quickserve: [^\n]+\n$/);
    assertMatch(stderr, message);
  }
});

Deno.test("--print-permissions shows the permissions of this command line", () =>
  withFiles({ "a/x": "", "in/": "" }, async (directory) => {
    const words = ["--print-permissions", "a", "--upload", "in"];
    const { code, stdout } = await runCommand("quickserve", words, { directory });
    assertEquals(code, 0);
    const { read, write } = /read +(?<read>[^:]*?)\n +write +(?<write>.*)\n/.exec(stdout)?.groups ??
      {};
    assertEquals(read?.split(/\s+/), [`${directory}/a`, `${directory}/in`]);
    assertEquals(write, `${directory}/in`);
  }));

Deno.test("--qr draws a code of the first address", async () => {
  await using server = await Served.start("quickserve", [
    "--qr",
    "-a",
    "127.0.0.1",
    "/usr/share/doc",
  ]);
  await server.program.line(/[█▀▄]{5}/);
  await using plain = await Served.start("quickserve", ["/usr/share/doc"]);
  assert(!/[█▀▄]/.test(plain.program.output));
});

Deno.test("the access log has one line for each request, in the combined format with duration and source", () =>
  withFiles({ "a": "hello" }, async (directory) => {
    await using server = await Served.start("quickserve", ["a"], { directory });
    const headers = { "User-Agent": 'agent "\n'.trim(), Referer: "http://from/" };
    await server.text("/a?x=1", { headers });
    await server.program.line(
      /^127\.0\.0\.1 - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET \/a\?x=1 HTTP\/1\.1" 200 5 "http:\/\/from\/" "agent \\x22" \d+\.\d{3}s file$/,
    );
  }));

Deno.test("the access log marks an aborted transfer, with the number of sent bytes", () =>
  withFiles({ "x": "" }, async (directory) => {
    await Deno.truncate(`${directory}/x`, 512 << 20);
    await using server = await Served.start("quickserve", ["x"], { directory });
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    await connection.write(new TextEncoder().encode("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    await connection.read(new Uint8Array(65536));
    connection.close();
    const line = await server.program.line(/"GET \/x HTTP\/1\.1" 200 .* aborted$/);
    const sent = Number(/" 200 (\d+) /.exec(line)?.[1]);
    assert(sent < 512 << 20, line);
  }));

/** Sends a request, reads `enough` bytes after the head of the reply, and goes away in a way. */
async function leave(
  port: number,
  request: string,
  enough: number,
  how: "close" | "reset" | "half-closed",
): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {});
  socket.write(`${request} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  if (how === "half-closed") socket.end();
  let head = "";
  let read = 0;
  for await (const chunk of socket) {
    if (head.includes("\r\n\r\n")) read += chunk.length;
    else {
      head += chunk.toString("latin1");
      const end = head.indexOf("\r\n\r\n");
      if (end >= 0) read = head.length - end - 4;
    }
    if (head.includes("\r\n\r\n") && read >= enough) break;
  }
  assert(read >= enough, `${request}: ${read} bytes`);
  if (how === "reset") socket.resetAndDestroy();
  else socket.destroy();
}

Deno.test("the log says `aborted` of what the client did not get, and of nothing else", () =>
  withFiles(
    { "d/small": "small", "d/empty": "", "d/large": "", "d/huge": "" },
    async (directory) => {
      await Deno.truncate(`${directory}/d/large`, 3 << 20);
      await Deno.truncate(`${directory}/d/huge`, 512 << 20);
      await using server = await Served.start("quickserve", ["d"], { directory });
      const whole: Readonly<Record<string, number>> = {
        "GET /d/small": 5,
        "GET /d/large": 3 << 20,
        "GET /d/empty": 0,
        "HEAD /d/huge": 0,
        "GET /d/": 100,
        "GET /d/none": 10,
      };
      let count = 0;
      for (const [request, size] of Object.entries(whole)) {
        for (const how of ["close", "reset", "half-closed"] as const) {
          // It depends on which of two events comes first, so more than once.
          for (let turn = 0; turn < 15; turn++) {
            await leave(server.port, `${request}?whole`, size, how);
            count++;
          }
        }
      }
      for (const how of ["close", "reset"] as const) {
        await leave(server.port, "GET /d/huge?part", 1, how);
      }
      await eventually("a line for each", () => {
        const lines = server.program.output.split("\n").filter((line) =>
          line.includes(' HTTP/1.1"')
        );
        return lines.length === count + 2;
      });
      const lines = server.program.output.split("\n");
      assertEquals(lines.filter((line) => /\?whole .*aborted/.test(line)), []);
      assertEquals(lines.filter((line) => /\?part .*aborted/.test(line)).length, 2);
    },
  ));

/** A socket that replaces the service manager's (sd_notify(3)), and the messages that it gets. */
class Manager implements Disposable {
  readonly #socket: Deno.DatagramConn;

  /** @param address a path, or `@` and an abstract name (unix(7)). */
  constructor(readonly address: string) {
    const path = address.replace(/^@/, "\0");
    this.#socket = Deno.listenDatagram({ transport: "unixpacket", path });
  }

  async told(): Promise<string> {
    const [bytes] = await this.#socket.receive();
    return new TextDecoder().decode(bytes);
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

Deno.test("where the log cannot be written, a sentence says so, and the server serves all the same", () =>
  withFiles({ "a": "content" }, async (directory) => {
    const place = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = place.addr;
    place.close();
    const command = [...launched("quickserve"), "a", "-a", "127.0.0.1", "-p", String(port)];
    const wrapper = ["sh", "-c", 'exec "$@" >/dev/full', "sh"];
    await using program = new RunningProgram([...wrapper, ...command], { directory });
    const sentence = "standard output cannot be written: there is no room left on the disk";
    await program.line(new RegExp(`^${sentence}$`));
    for (let turn = 0; turn < 5; turn++) {
      assertEquals(await (await fetch(`http://127.0.0.1:${port}/a`)).text(), "content");
    }
    // Each of the two threads says it once.
    const lines = program.output.trim().split("\n");
    assertEquals([...new Set(lines)], [sentence]);
    assert(lines.length <= 2, program.output);
  }));

Deno.test("a command whose output cannot be written says so in a sentence, and exits with 1", () =>
  withFiles({ "pacman.conf": "[options]\n" }, async (directory) => {
    const full = ["sh", "-c", 'exec "$@" >/dev/full', "sh"];
    const sentence = "standard output cannot be written: there is no room left on the disk";
    const commands = [
      ["pacman.conf-insert_pacserve", `${directory}/pacman.conf`],
      ["pacserve-status", "--help"],
      ["pacserve-ports", "--version"],
    ];
    for (const [name = "", ...words] of commands) {
      const { code, stderr } = await run([...full, ...launched(name), ...words]);
      assertEquals([code, stderr], [1, `${name}: ${sentence}\n`]);
    }
  }));

Deno.test("--quiet prints only warnings, and systemd still gets all messages", () =>
  withFiles({ "a": "hello" }, async (directory) => {
    for (const address of [`${directory}/notify`, `@pacserve-test-${crypto.randomUUID()}`]) {
      using manager = new Manager(address);
      const command = [...launched("quickserve"), "--quiet", "-p", "0", "a"];
      const environment = { NOTIFY_SOCKET: manager.address };
      await using program = new RunningProgram(command, { directory, environment });
      const ready = await manager.told();
      const [, port] = /^READY=1\nSTATUS=Listening on port (\d+)$/.exec(ready) ?? [];
      assertEquals(await (await fetch(`http://127.0.0.1:${port}/a`)).text(), "hello");
      program.signal("SIGHUP");
      assertEquals(await manager.told(), "RELOADING=1");
      assertEquals(await manager.told(), "READY=1");
      program.signal("SIGTERM");
      assertEquals(await manager.told(), "STOPPING=1");
      const { code, stdout, stderr } = await program.ended;
      assertEquals([code, stdout, stderr], [0, "", ""]);
    }
  }));

Deno.test("each line has a priority if standard output is the journal, and only then", () =>
  withFiles({ "a": "hello", "users": "bob\nx\n" }, async (directory) => {
    await Deno.chmod(`${directory}/users`, 0o644);
    const words = ["a", "--authfile", "users"];
    const command = [...launched("quickserve"), "-p", "0", ...words];
    const lines = async (before: readonly string[], environment = {}): Promise<string[]> => {
      await using program = new RunningProgram([...before, ...command], { directory, environment });
      const port = /:(\d+)\/$/.exec(await program.line(/address +http/))?.[1];
      await (await fetch(`http://127.0.0.1:${port}/a`)).body?.cancel();
      await program.line(/127\.0\.0\.1 /);
      return [...program.lines];
    };
    // Set the variable as systemd does, for the pipe of this test instead of the journal's stream.
    const journal = 'JOURNAL_STREAM=$(stat -Lc %d:%i /proc/$$/fd/1) exec "$@"';
    const logged = await lines(["sh", "-c", journal, "sh"]);
    assert(logged.some((line) => line.startsWith("<4>warning: ")));
    assert(logged.some((line) => line.startsWith("<6>127.0.0.1 ")));
    // A shell in a terminal that runs as a user's service inherits the variable.
    const shown = await lines([], { JOURNAL_STREAM: "8:1" });
    assert(shown.some((line) => line.startsWith("warning: ")));
    assert(!shown.some((line) => line.startsWith("<")), shown.join("\n"));
  }));

Deno.test("SIGHUP reads the files again", () =>
  withFiles({ "list": "a\n", "a": "1" }, async (directory) => {
    await using server = await Served.start("quickserve", ["-f", "list"], { directory });
    const from = server.program.lines.length;
    server.program.signal("SIGHUP");
    await server.reloaded(from);
    assertEquals(await server.text("/a"), "1");
  }));

Deno.test("SIGTERM and SIGINT end the server with status 0, after short transfers have finished", () =>
  withFiles({ "x": "" }, async (directory) => {
    const size = 64 << 20;
    await Deno.truncate(`${directory}/x`, size);
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      await using server = await Served.start("quickserve", ["x"], { directory });
      const { body } = await server.fetch("/x");
      const reader = body?.getReader();
      let received = (await reader?.read())?.value?.length ?? 0;
      const started = performance.now();
      server.program.signal(signal);
      for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
        received += part.value.length;
      }
      assertEquals(received, size);
      const { code, stderr } = await server.program.ended;
      assertEquals([code, stderr], [0, ""]);
      assert(performance.now() - started < 2500);
    }
  }));

Deno.test("no error shows a stack trace", async () => {
  const cases = [["/nowhere"], ["--root", "/etc/passwd"], ["-f", "/etc"], ["-p", "x"], ["--auth"]];
  await withFiles({ "a": "" }, async (directory) => {
    shell(directory, "mkfifo pipe; ln -s loop loop");
    // To read a pipe would wait for ever.
    for (const option of ["--motd", "--authfile", "-f", "--filterlist"]) {
      cases.push([option, "pipe"]);
    }
    cases.push(["loop"], ["a/b"], ["x".repeat(300)], ["--upload", "pipe"], [
      "--authfile",
      "/dev/zero",
    ]);
    cases.push(["--ssl", "--certfile", "pipe"], ["/dev/stdin"], ["--upload", "/proc"]);
    for (const words of cases) {
      const { code, stderr } = await runCommand("quickserve", words, { directory });
      assertMatch(stderr, /^quickserve: [^\n]+\n$/);
      // Neither the runtime's own words nor its advice.
      assert(!/\.ts:|os error|--allow|Uncaught/.test(stderr), stderr);
      assert(code === 1 || code === 2, stderr);
    }
  });
  assertStringIncludes((await runCommand("quickserve", ["-f", "/etc"])).stderr, "/etc");
});
