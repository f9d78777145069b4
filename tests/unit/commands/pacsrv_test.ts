import { join } from "node:path";
import {
  frontEnd,
  pacmanCommand,
  pacserveAnswers,
  type PacsrvSettings,
} from "../../../src/commands/pacsrv.ts";
import { assert, assertEquals } from "../../assert.ts";
import { inScratch } from "../../scratch.ts";

const PACSERVE = "HTTP/1.1 200 OK\r\nServer: ThreadedServers.Pacserve/2013.05.12\r\n\r\n";

/** Starts a server that answers each connection with the same bytes; never if they are null. */
class Answering implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #connections: Deno.Conn[] = [];
  readonly #done: Promise<void>;

  constructor(answer: string | null, hostname = "127.0.0.1") {
    this.#listener = Deno.listen({ hostname, port: 0 });
    this.#done = this.#serve(answer);
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async #serve(answer: string | null): Promise<void> {
    for await (const connection of this.#listener) {
      this.#connections.push(connection);
      await connection.read(new Uint8Array(4096)).catch(() => null);
      if (answer === null) continue;
      await connection.write(new TextEncoder().encode(answer)).catch(() => 0);
      await connection.closeWrite().catch(() => {});
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#done;
    for (const connection of this.#connections) connection.close();
  }
}

function address(server: Answering, host = "127.0.0.1"): URL {
  return new URL(`http://${host}:${server.port}`);
}

Deno.test("pacserveAnswers: only an answer of pacserve counts", async () => {
  for (
    const [answer, expected] of [
      [PACSERVE, true],
      ["HTTP/1.0 200 OK\r\nserver:threadedservers.pacserve/1\r\n\r\n", true],
      ["HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n", false],
      ["HTTP/1.1 200 OK\r\nServer: ThreadedServers.PeeredQuickserve/2013.05.12\r\n\r\n", false],
      // Users have to log in, but pacman on this host need not.
      [PACSERVE.replace("200", "401"), true],
      // This server would refuse pacman, too.
      [PACSERVE.replace("200", "403"), false],
      [PACSERVE.replace("200", "500"), false],
      ["SSH-2.0-OpenSSH_9.2\r\n", false],
      ["", false],
      ["x".repeat(100_000), false],
    ] as const
  ) {
    await using server = new Answering(answer);
    assertEquals(await pacserveAnswers(address(server), 5000), expected, answer.slice(0, 80));
  }
});

Deno.test("pacserveAnswers: false after the timeout if the port is open but the server is silent", async () => {
  await using server = new Answering(null);
  const start = performance.now();
  assertEquals(await pacserveAnswers(address(server), 50), false);
  assert(performance.now() - start < 2000);
});

Deno.test("pacserveAnswers: localhost means both loopback addresses", async () => {
  await using first = new Answering(PACSERVE);
  assertEquals(await pacserveAnswers(address(first, "localhost"), 5000), true);
  await using second = new Answering(PACSERVE, "::1");
  assertEquals(await pacserveAnswers(address(second, "localhost"), 5000), true);
  assertEquals(await pacserveAnswers(address(second, "[::1]"), 5000), true);
});

Deno.test("pacserveAnswers: false for a closed port", async () => {
  const server = new Answering(PACSERVE);
  const closed = address(server);
  await server[Symbol.asyncDispose]();
  assertEquals(await pacserveAnswers(closed, 5000), false);
});

/** Runs the test with a configuration of one repository, and an address file. */
async function withSettings(
  server: Answering | null,
  use: (settings: PacsrvSettings, warnings: string[]) => Promise<void>,
): Promise<void> {
  await inScratch(async (directory) => {
    const warnings: string[] = [];
    const addressFile = join(directory, "pacserve");
    const configuration = join(directory, "pacman.conf");
    const port = server?.port ?? 0;
    await Deno.writeTextFile(addressFile, `Server = http://127.0.0.1:${port}/pacman/$repo/$arch\n`);
    await Deno.writeTextFile(configuration, "[core]\n");
    const user = Deno.uid() ?? 0;
    await use({
      program: "pacman",
      addressFile,
      configuration,
      user,
      directory: join(directory, "copies"),
      knowsCacheServer: true,
      environment: { get: () => undefined },
      log: { warn: (message) => warnings.push(message) },
    }, warnings);
  });
}

Deno.test("pacmanCommand: if pacserve answers, pacman runs with the copy of its configuration", async () => {
  await using server = new Answering(PACSERVE);
  await withSettings(server, async (settings, warnings) => {
    const [program, option, copy = "", ...rest] = await pacmanCommand(["-Syu", ""], settings);
    assertEquals([program, option, ...rest], ["pacman", "--config", "-Syu", ""]);
    assertEquals(
      await Deno.readTextFile(copy),
      "[core]\nInclude = /etc/pacman.d/pacserve\n",
    );
    const words = ["-Q", `--config=${settings.configuration}`];
    assertEquals(await pacmanCommand(words, { ...settings, configuration: "/nowhere" }), [
      "pacman",
      "-Q",
      `--config=${copy}`,
    ]);
    assertEquals(warnings, []);
  });
});

Deno.test("pacmanCommand: if a proxy is set, no_proxy gets the host of pacserve", async () => {
  await using server = new Answering(PACSERVE);
  await withSettings(server, async (settings) => {
    const variables: Record<string, string> = { "http_proxy": "http://proxy:1", NO_PROXY: "lan" };
    const environment = { get: (name: string) => variables[name] };
    const withProxy = { ...settings, environment };
    const command = await pacmanCommand(["-Syu"], withProxy);
    const added = ["env", "no_proxy=lan,127.0.0.1", "NO_PROXY=lan,127.0.0.1", "pacman"];
    assertEquals(command.slice(0, 4), added);
    // env(1) would treat this path as an assignment.
    const odd = { ...withProxy, program: "/opt/a=b/pacman" };
    assertEquals((await pacmanCommand(["-Syu"], odd))[0], "/opt/a=b/pacman");
  });
  await withSettings(null, async (settings) => {
    const withProxy = { ...settings, environment: { get: () => "http://proxy:1" } };
    assertEquals(await pacmanCommand(["-Q"], withProxy), ["pacman", "-Q"]);
  });
});

Deno.test("pacmanCommand: if pacserve does not answer, the command line is unchanged, without a warning", async () => {
  await withSettings(null, async (settings, warnings) => {
    const words = ["-Syu", "--config", "mine", "--", "--config"];
    const paru = { ...settings, program: "paru" };
    assertEquals(await pacmanCommand(words, paru), ["paru", ...words]);
    assertEquals(warnings, []);
  });
});

Deno.test("pacmanCommand: if the copy cannot be made, it warns, and pacman runs without the copy", async () => {
  await using server = new Answering(PACSERVE);
  await withSettings(server, async (settings, warnings) => {
    const broken: Partial<PacsrvSettings>[] = [
      { user: settings.user + 1 },
      { directory: "/proc/nowhere" },
      { configuration: "/dev/null" },
      { addressFile: "/nowhere" },
    ];
    for (const [index, change] of broken.entries()) {
      const command = await pacmanCommand(["-Q"], { ...settings, ...change });
      assertEquals(command, ["pacman", "-Q"]);
      assertEquals(warnings.length, index + 1);
    }
  });
});

Deno.test("pacmanCommand: a missing configuration, and one in a sysroot, is left to pacman", async () => {
  await using server = new Answering(PACSERVE);
  await withSettings(server, async (settings, warnings) => {
    for (const words of [["-Q", "--config", "/nowhere"], ["-Q", "--sysroot", "/mnt"]]) {
      assertEquals(await pacmanCommand(words, settings), ["pacman", ...words]);
    }
    assertEquals(warnings, []);
  });
});

Deno.test("frontEnd: PACMAN names the program to run, but never pacsrv itself", () => {
  assertEquals(frontEnd(undefined), "pacman");
  assertEquals(frontEnd(""), "pacman");
  assertEquals(frontEnd("paru"), "paru");
  assertEquals(frontEnd("/opt/bin/yay"), "/opt/bin/yay");
  assertEquals(frontEnd("pacsrv"), "pacman");
  assertEquals(frontEnd("/usr/bin/pacsrv"), "pacman");
});
