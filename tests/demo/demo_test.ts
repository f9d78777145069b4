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

Deno.test("the demo: three hosts upgrade at the same moment, and the mirror sends each package once", async () => {
  await using demo = await Demonstration.start();
  const verdict = /^Three hosts upgraded .* each package crossed the line (1\.[012]\d) times\.$/;
  await demo.program.line(verdict, 0, DEADLINE);
  assertEquals((await demo.program.ended).code, 0);
  // Of the system that `deno task test` has made before it runs this test; else of this machine.
  const newest = Deno.env.get("PACSERVE_ARCH_ROOT") ? "7" : "\\d+";
  assertMatch(demo.program.output, new RegExp(`^ *All have pacman ${newest}\\.\\d`, "m"));
  assertMatch(demo.program.output, /^ {2}They found each other\.$/m);
  assertMatch(demo.program.output, /^ {2}glacier .*MiB +to (alder|birch|cedar)/m);
  assertMatch(demo.program.output, /^ {2}lantern .*MiB +to cedar$/m);
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
