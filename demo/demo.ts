/**
 * `deno task demo`: the main job on one machine. Three hosts, a mirror, real pacman, and packages that
 * cross the internet once, although all hosts upgrade at the same moment.
 *
 * It plays with the pacman that Arch has where the tests have left one, or where `--arch` asks for it
 * (that takes some minutes, once), else with this machine's.
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

Three hosts, a mirror, real pacman, and packages that cross the internet once, although all hosts
upgrade at the same moment.

  --arch  play with the version of pacman that Arch has; it is fetched, once, which takes some
          minutes. Without this it plays with that version where it is there already, else with
          this machine's.`;

const { values } = readArguments(USAGE, {
  options: { arch: { type: "boolean", default: false } },
});

/** Runs when the demonstration ends, however it ends. */
const cleaning: (() => Promise<void>)[] = [];

async function cleanUp(): Promise<void> {
  for (const clean of cleaning.splice(0).reverse()) await clean();
}

async function main(): Promise<number> {
  if (Deno.build.os !== "linux") {
    throw new Failure("The demo makes network namespaces: it takes Linux.");
  }
  if (Deno.uid() !== 0) {
    throw new Failure("The demo makes network namespaces: please run it as root (sudo).");
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
 * Plays it in a process of its own, which can have another system's files than ours. Its hosts and all
 * that runs on them end with it.
 *
 * @returns its exit status.
 */
async function play(directory: string, root: ArchRoot | null): Promise<number> {
  const words = ["run", "--frozen", "-A", fileURLToPath(import.meta.resolve("./play.ts"))];
  const child = new Deno.Command("setsid", {
    // In a session of its own, so that Ctrl-C reaches us alone, and it ends when we say so.
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
    // Ctrl-C comes twice: from the terminal, and passed on by `deno task`.
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
  // What was killed fails, but that is not why the demonstration ends: leave it to the signal.
  if (interrupted) await new Promise(() => {});
  console.error(
    thrown instanceof Failure ? thrown.message : `The demo failed: ${messageOf(thrown)}`,
  );
} finally {
  await cleanUp();
}
Deno.exit(status);
