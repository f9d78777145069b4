/** The launcher of pacsrv: the program that it executes, and what it does when its own program fails. */

import { join } from "node:path";
import { programCommand } from "../lan/pacserve.ts";
import { Scratch } from "../scratch.ts";
import { assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";

const checkout = new URL("../../", import.meta.url).pathname;

/** Deno's cache, in which the libraries are: the program gets another home. */
const DENO_DIR: string = JSON.parse(
  new TextDecoder().decode(
    new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).outputSync().stdout,
  ),
).denoDir;

/** A directory with the launcher, and a front end that prints how it was called. */
class Installation extends Scratch {
  readonly frontEnd = join(this.directory, "front-end");
  readonly #launcher = join(this.directory, "pacsrv");

  constructor(program: readonly string[] = programCommand("pacsrv").slice(0, -1)) {
    super();
    const words = program.map((word) => `'${word}'`).join(" ");
    const text = Deno.readTextFileSync(`${checkout}launchers/pacsrv`);
    assertEquals(text.split("@PROGRAM@").length, 2);
    this.#write(this.#launcher, text.replace("@PROGRAM@", () => words));
    this.#write(
      this.frontEnd,
      `#!/bin/bash\necho "$$"\nprintf '%s\\0' "$@"\ncat\nexit 42\n`,
    );
  }

  #write(path: string, text: string): void {
    Deno.writeTextFileSync(path, text);
    Deno.chmodSync(path, 0o755);
  }

  /**
   * Starts pacsrv through `sh`, which can make words with any bytes: `$(printf '\377')`.
   *
   * @param wrapper a command that runs a command.
   */
  spawn(
    words: string,
    environment: Record<string, string> = {},
    wrapper: readonly string[] = [],
  ): Deno.ChildProcess {
    const [program = "", ...rest] = [...wrapper, "sh", "-c", `exec "$0" ${words}`, this.#launcher];
    return new Deno.Command(program, {
      args: rest,
      env: { PACMAN: this.frontEnd, HOME: this.directory, DENO_DIR, ...environment },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  async run(
    words: string,
    environment: Record<string, string> = {},
    wrapper: readonly string[] = [],
  ): Promise<{ pid: number; code: number; stdout: string; bytes: Uint8Array; stderr: string }> {
    const child = this.spawn(words, environment, wrapper);
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("typed\n"));
    await writer.close();
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    return {
      pid: child.pid,
      code,
      stdout: decoder.decode(stdout),
      bytes: stdout,
      stderr: decoder.decode(stderr),
    };
  }
}

/** Options with a configuration that does not exist, so that nothing is copied or sent to the network. */
const ELSEWHERE = "--sysroot /nowhere";

Deno.test("launcher: passes on every word, the input and the exit status unchanged", async () => {
  using pacsrv = new Installation();
  const { pid, code, stdout, stderr } = await pacsrv.run(
    `${ELSEWHERE} -S 'two words' '' 'a\nb' '*' -- --config x`,
  );
  assertEquals(stderr, "");
  assertEquals(
    stdout,
    `${pid}\n--sysroot\0/nowhere\0-S\0two words\0\0a\nb\0*\0--\0--config\0x\0typed\n`,
  );
  assertEquals(code, 42);
});

Deno.test("launcher: passes on a word that is not UTF-8, after a warning", async () => {
  using pacsrv = new Installation();
  const { bytes, stderr, code } = await pacsrv.run(`-U "$(printf 'a\\377b')"`);
  assertEquals([...bytes].slice(-10, -7), ["a".charCodeAt(0), 0xff, "b".charCodeAt(0)]);
  assertMatch(stderr, /not in UTF-8\n.*running pacman without pacserve/);
  assertEquals(code, 42);
});

Deno.test("launcher: runs the front end even if the program cannot be run, after a warning", async () => {
  using pacsrv = new Installation(["/nowhere/deno"]);
  const { pid, code, stdout, stderr } = await pacsrv.run("-S 'two words'");
  assertEquals(stdout, `${pid}\n-S\0two words\0typed\n`);
  assertStringIncludes(stderr, "pacsrv: running pacman without pacserve");
  assertEquals(code, 42);
});

Deno.test("launcher: PACMAN=pacsrv, as for makepkg, does not start pacsrv for ever", async () => {
  for (const program of [programCommand("pacsrv").slice(0, -1), ["/nowhere/deno"]]) {
    using pacsrv = new Installation(program);
    await Deno.symlink(pacsrv.frontEnd, join(pacsrv.directory, "pacman"));
    const environment = {
      PACMAN: "pacsrv",
      PATH: `${pacsrv.directory}:${Deno.env.get("PATH") ?? ""}`,
    };
    const { code, stdout } = await pacsrv.run(ELSEWHERE, environment);
    assertMatch(stdout, /--sysroot/);
    assertEquals(code, 42);
  }
});

Deno.test("launcher: a signal reaches the front end, whose exit status is returned", async () => {
  using pacsrv = new Installation();
  await Deno.writeTextFile(
    pacsrv.frontEnd,
    "#!/bin/bash\ntrap 'exit 7' INT\necho ready\nwhile :; do read -r; done\n",
  );
  const child = pacsrv.spawn(ELSEWHERE);
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  assertEquals(new TextDecoder().decode(value), "ready\n");
  child.kill("SIGINT");
  assertEquals((await child.status).code, 7);
  await child.stdin.close().catch(() => {});
  reader.releaseLock();
  await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
});

Deno.test("launcher: the program may write only to the directory of the copies", async () => {
  await using real = new Installation();
  // This program prints its own permissions as the words to execute, and the front end shows them.
  using pacsrv = new Installation([
    "printf",
    "%s\\0",
    real.frontEnd,
    "--allow-read",
    "--allow-write",
  ]);
  await Deno.chmod(real.directory, 0o755);
  await Deno.chmod(pacsrv.directory, 0o755);
  const asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  const root = await pacsrv.run("-Q", { XDG_CACHE_HOME: "/my caches" });
  assertStringIncludes(root.stdout, "\n--allow-read\0--allow-write=/var/cache/pacserve\0pacsrv\0");
  const home = `${pacsrv.directory}/.cache`;
  for (
    const [directory = "", caches] of [
      ["/my caches", "=/my caches/pacserve"],
      // Characters that are special in bash, in patterns (since 5.2: "&"), words, globs or quotes.
      ["/a&b", "=/a&b/pacserve"],
      ["/a\\&b\\", "=/a\\&b\\/pacserve"],
      ["/a/*?[a-z]{1,}".replace(",", ";"), "=/a/*?[a-z]{1;}/pacserve"],
      ['/it\'s "$HOME" `x` %s ~', '=/it\'s "$HOME" `x` %s ~/pacserve'],
      ["/two\nlines\t#;|<>()", "=/two\nlines\t#;|<>()/pacserve"],
      ["/ends in a space ", "=/ends in a space /pacserve"],
      ["/\u00fcml\u00e4ut", "=/\u00fcml\u00e4ut/pacserve"],
      ["relative", `=${home}/pacserve`],
      ["", `=${home}/pacserve`],
      ["/one,two", ""],
    ]
  ) {
    const { stdout } = await pacsrv.run("-Q", { XDG_CACHE_HOME: directory }, asNobody);
    assertStringIncludes(stdout, `\n--allow-read\0--allow-write${caches}\0pacsrv\0-Q\0`);
  }
});
