/**
 * `deno task demo`: the main job on one machine. Two hosts, a mirror, real pacman, and packages that
 * travel from one host's cache to the other.
 *
 * Exit status 0 means that the packages are installed, and that none of those that the first host had
 * was fetched from the mirror by the second.
 */

import { Failure, messageOf } from "../src/failure.ts";
import { fetchLibraries } from "../scripts/program.ts";
import { provideTools } from "../scripts/tools.ts";
import { killAll, removeTree } from "../tests/lan/process.ts";
import { play } from "./play.ts";

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
  await provideTools(["play"], (line) => console.log(line));
  await fetchLibraries();
  const directory = await Deno.makeTempDir({ prefix: "pacserve-demo-" });
  cleaning.push(() => removeTree(directory));
  return await play(directory) ? 0 : 1;
}

let interrupted = false;
for (const [signal, number] of [["SIGINT", 2], ["SIGTERM", 15], ["SIGHUP", 1]] as const) {
  Deno.addSignalListener(signal, () => {
    // Ctrl-C comes twice: from the terminal, and passed on by `deno task`.
    if (interrupted) return;
    interrupted = true;
    // The hosts and all that runs on them end with this process: only the packages are to be removed.
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
