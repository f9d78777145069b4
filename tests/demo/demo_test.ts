/** Runs the demonstration of the README as a user does: `deno task demo`. The tests need root. */

import { fileURLToPath } from "node:url";
import { assertEquals, assertMatch } from "../assert.ts";
import { must, RunningProgram } from "../lan/process.ts";

/** The time limit in milliseconds. On a busy machine the demonstration takes a minute. */
const DEADLINE = 240_000;

/** A demonstration in a new process group, as a terminal starts it. */
class Demonstration implements AsyncDisposable {
  /** The directory for its files. */
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
    // Keep the path short, because the path of a GnuPG socket has at most 107 bytes.
    const directory = await Deno.makeTempDir({ prefix: "demo-" });
    // makepkg runs as an ordinary user there.
    await Deno.chmod(directory, 0o755);
    return new Demonstration(directory);
  }

  /** Returns the names of the files that are left. */
  left(): string[] {
    return [...Deno.readDirSync(this.directory)].map(({ name }) => name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program.stop();
    await Deno.remove(this.directory, { recursive: true });
  }
}

Deno.test("demo: three hosts upgrade at the same moment, and the mirror sends each package once", async () => {
  await using demo = await Demonstration.start();
  const verdict = /^Three hosts upgraded .* each package crossed the line (1\.[012]\d) times\.$/;
  await demo.program.line(verdict, 0, DEADLINE);
  assertEquals((await demo.program.ended).code, 0);
  // The version of the system that `deno task test` made before this test, else of this machine.
  const newest = Deno.env.get("PACSERVE_ARCH_ROOT") ? "7" : "\\d+";
  assertMatch(demo.program.output, new RegExp(`^ *All have pacman ${newest}\\.\\d`, "m"));
  assertMatch(demo.program.output, /^ {2}They found each other\.$/m);
  assertMatch(demo.program.output, /^ {2}glacier .*MiB +to (alder|birch|cedar)/m);
  assertMatch(demo.program.output, /^ {2}lantern .*MiB +to cedar$/m);
  assertEquals(demo.left(), []);
});

Deno.test("demo: Ctrl-C ends it, and no process or file is left", async () => {
  await using demo = await Demonstration.start();
  await demo.program.line(/^Starting pacserve/, 0, DEADLINE);
  // A terminal sends the signal to the whole process group: to the task and to its processes.
  await must(["kill", "-INT", "--", `-${demo.program.pid}`]);
  assertEquals((await demo.program.ended).code, 130, demo.program.output);
  assertEquals(demo.left(), []);
});
