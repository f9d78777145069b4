/** The command lines of the tasks for developers: benchmarks, fuzzing, soaking, simulation. */

import { parseArgs, type ParseArgsConfig } from "node:util";
import { messageOf } from "../src/failure.ts";

/**
 * Parses the options and arguments of a task. `--help` prints the usage and ends the process with 0;
 * wrong usage ends it with 2.
 *
 * @param usage text that says what the task does, and its options.
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

/** Parses the value of an option as a whole number; ends the process with 2 if it is not one. */
export function wholeNumber(option: string, text: string, least: number): number {
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  if (number >= least) return number;
  console.error(`--${option} takes a whole number of at least ${least}, not "${text}"`);
  Deno.exit(2);
}
