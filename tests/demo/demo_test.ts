/** The demonstration that the README promises, as a stranger runs it: `deno task demo`. It takes root. */

import { fileURLToPath } from "node:url";
import { assertEquals, assertMatch } from "../assert.ts";
import { must, RunningProgram } from "../lan/process.ts";

/** Milliseconds; on a busy machine it takes a minute. */
const DEADLINE = 240_000;

/** A demonstration in a process group of its own, as a terminal starts one. */
class Demonstration implements AsyncDisposable {
  /** Where it may keep its files. */
  readonly directory: string;
  readonly program: RunningProgram;

  private constructor(directory: string) {
    this.directory = directory;
    this.program = new RunningProgram(["setsid", Deno.execPath(), "task", "demo"], {
      directory: fileURLToPath(new URL("../..", import.meta.url)),
      environment: { TMPDIR: directory, NO_COLOR: "1" },
    });
  }

  static async start(): Promise<Demonstration> {
    // Short: a socket of GnuPG has a path of at most 107 bytes.
    const directory = await Deno.makeTempDir({ prefix: "demo-" });
    // makepkg runs as an ordinary user there.
    await Deno.chmod(directory, 0o755);
    return new Demonstration(directory);
  }

  /** Names of the files that it has left. */
  left(): string[] {
    return [...Deno.readDirSync(this.directory)].map(({ name }) => name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program.stop();
    await Deno.remove(this.directory, { recursive: true });
  }
}

Deno.test("the demo: what one host has, the other gets from it, by the mirror's log", async () => {
  await using demo = await Demonstration.start();
  await demo.program.line(/^Everything that alder had, birch got from alder\.$/, 0, DEADLINE);
  assertEquals((await demo.program.ended).code, 0);
  // Of the system that `deno task test` has made before it runs this test; else of this machine.
  const newest = Deno.env.get("PACSERVE_ARCH_ROOT") ? "7" : "\\d+";
  assertMatch(demo.program.output, new RegExp(`^ *Both have pacman ${newest}\\.\\d`, "m"));
  assertMatch(demo.program.output, /alder found birch .*, birch found alder/);
  assertMatch(demo.program.output, /glacier .*MiB +from alder/);
  assertMatch(demo.program.output, /lantern .* +from the mirror/);
  assertEquals(demo.left(), []);
});

Deno.test("Ctrl-C ends the demo, and nothing of it is left", async () => {
  await using demo = await Demonstration.start();
  await demo.program.line(/^Starting pacserve/, 0, DEADLINE);
  // A terminal sends the signal to all that it runs: to the task, and to what the task has started.
  await must(["kill", "-INT", "--", `-${demo.program.pid}`]);
  assertEquals((await demo.program.ended).code, 130, demo.program.output);
  assertEquals(demo.left(), []);
});
