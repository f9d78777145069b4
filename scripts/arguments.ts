/** The command lines of the tasks for developers: benchmarks, fuzzing, soaking, simulation. */

import { parseArgs, type ParseArgsConfig } from "node:util";
import { messageOf } from "../src/failure.ts";

/**
 * The task's options and arguments. `--help` prints the usage and ends the process with 0; what is not
 * understood ends it with 2.
 *
 * @param usage what the task does and takes.
 */
export function readArguments<T extends ParseArgsConfig>(
  usage: string,
  config: T,
): ReturnType<typeof parseArgs<T>> {
  if (Deno.args.includes("--help") || Deno.args.includes("-h")) {
    console.log(usage);
    Deno.exit(0);
  }
  try {
    return parseArgs(config);
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${usage}`);
    Deno.exit(2);
  }
}

/** The value of an option that takes a whole number; any other ends the process with 2. */
export function wholeNumber(option: string, text: string, least: number): number {
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  if (number >= least) return number;
  console.error(`--${option} takes a whole number of at least ${least}, not "${text}"`);
  Deno.exit(2);
}
