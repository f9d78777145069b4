/**
 * `deno task demo`: demonstrates pacserve on one machine, with three hosts, a mirror and real pacman. Each
 * package crosses the internet once, although all hosts upgrade at the same moment.
 *
 * It uses the pacman of Arch if the tests have downloaded it already or if `--arch` is given (which takes
 * some minutes, once), else the pacman of this machine.
 *
 * Exit status 0 means that the packages are installed, and that the mirror sent little more than one
 * host needs.
 */

import { fileURLToPath } from "node:url";
import { Failure, messageOf } from "../src/failure.ts";
import { ArchRoot } from "../scripts/arch_root.ts";
import { readArguments } from "../scripts/arguments.ts";
import { fetchLibraries } from "../scripts/program.ts";
import { provideTools } from "../scripts/tools.ts";
import { killAll, removeTree } from "../tests/lan/process.ts";

const USAGE = `usage: deno task demo [--arch]

Demonstrates pacserve with three hosts, a mirror and real pacman: each package crosses the internet
once, although all hosts upgrade at the same moment.

  --arch  use the version of pacman that Arch has. It is downloaded once, which takes some
          minutes. Without this option the demo uses that version if it was downloaded already,
          else this machine's.`;

const { values } = readArguments(USAGE, {
  options: { arch: { type: "boolean", default: false } },
});

/** Functions to run when the demonstration ends, also after an error or a signal. */
const cleaning: (() => Promise<void>)[] = [];

async function cleanUp(): Promise<void> {
  for (const clean of cleaning.splice(0).reverse()) await clean();
}

async function main(): Promise<number> {
  if (Deno.build.os !== "linux") {
    throw new Failure("The demo makes network namespaces, therefore it needs Linux.");
  }
  if (Deno.uid() !== 0) {
    throw new Failure("The demo makes network namespaces, therefore please run it as root (sudo).");
  }
  const say = (line: string): void => console.log(line);
  const root = values.arch ? await provideRoot(say) : await ArchRoot.existing();
  if (root === null) await provideTools(["play"], say);
  await fetchLibraries();
  const directory = await Deno.makeTempDir({ prefix: "pacserve-demo-" });
  cleaning.push(() => removeTree(directory));
  return await play(directory, root);
}

async function provideRoot(say: (line: string) => void): Promise<ArchRoot> {
  await provideTools(["arch"], say);
  return await ArchRoot.provide(say);
}

/**
 * Runs the demonstration in a separate process, which can have the files of another system. Its hosts and
 * all programs on them end with it.
 *
 * @returns the exit status of that process.
 */
async function play(directory: string, root: ArchRoot | null): Promise<number> {
  const words = ["run", "--frozen", "-A", fileURLToPath(import.meta.resolve("./play.ts"))];
  const child = new Deno.Command("setsid", {
    // Use a new session, so that Ctrl-C reaches only this process, which then ends the other one.
    args: [
      ...["setpriv", "--pdeathsig", "KILL", ...root === null ? [] : await root.enter()],
      ...[Deno.execPath(), ...words, directory],
    ],
    stdin: "null",
  }).spawn();
  let hasEnded = false;
  cleaning.push(async () => {
    if (!hasEnded) child.kill("SIGKILL");
    await child.status;
  });
  const { code } = await child.status;
  hasEnded = true;
  return code;
}

let interrupted = false;
for (const [signal, number] of [["SIGINT", 2], ["SIGTERM", 15], ["SIGHUP", 1]] as const) {
  Deno.addSignalListener(signal, () => {
    // Ctrl-C arrives twice: from the terminal, and passed on by `deno task`.
    if (interrupted) return;
    interrupted = true;
    killAll();
    void cleanUp().then(() => {
      console.error("\nInterrupted: everything is cleaned up.");
      Deno.exit(128 + number);
    });
  });
}

let status = 1;
try {
  status = await main();
  if (interrupted) await new Promise(() => {});
} catch (thrown) {
  // Killed programs fail, but the signal is the reason for the end. Let its handler end this process.
  if (interrupted) await new Promise(() => {});
  console.error(
    thrown instanceof Failure ? thrown.message : `The demo failed: ${messageOf(thrown)}`,
  );
} finally {
  await cleanUp();
}
Deno.exit(status);
