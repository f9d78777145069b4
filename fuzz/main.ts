/**
 * `deno task fuzz`: tests parsers with random and hostile inputs, with seeds and shrinking. The last line
 * of the output is `N passed, N failed`, where each target counts as one.
 */

import { readArguments } from "../scripts/arguments.ts";
import { messageOf } from "../src/failure.ts";
import { addToCorpus, readCorpus } from "./corpus.ts";
import type { FuzzTarget, RunFailure } from "./target.ts";
import { targets } from "./targets.ts";

/** Default number of seconds for all targets together. */
const SECONDS = "60";

/** How long a target runs before it is the next one's turn, in milliseconds. */
const TURN = 2_000;

const USAGE = `usage: deno task fuzz [options] [<target> ...]

Tests the code that parses input of strangers and users with random inputs, until the time is over or a
property fails.

  --seconds <number>  time for all targets together (${SECONDS})
  --seed <number>     repeat the run with this seed
  --path <path>       repeat only the failing case with this path; needs exactly one target

Targets (default: all): ${targets.map(({ name }) => name).join(", ")}.`;

interface Options {
  readonly seconds: number;
  readonly seed: number;
  readonly path: string | null;
  readonly targets: readonly FuzzTarget[];
}

function readOptions(): Options {
  const { values, positionals } = readArguments(USAGE, {
    allowPositionals: true,
    options: {
      seconds: { type: "string", default: SECONDS },
      seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
      path: { type: "string" },
    },
  });
  const unknown = positionals.find((name) => !targets.some((target) => target.name === name));
  const names = targets.map((target) => target.name).join(", ");
  if (unknown !== undefined) {
    throw new Error(`${unknown} is not a target; the targets are ${names}`);
  }
  const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
  if (!(seconds > 0)) throw new Error("--seconds takes a number above 0");
  if (!Number.isInteger(seed)) throw new Error("--seed takes a whole number");
  const chosen = targets.filter(({ name }) =>
    positionals.length === 0 || positionals.includes(name)
  );
  if (values.path !== undefined && chosen.length !== 1) throw new Error("--path needs one target");
  return { seconds, seed, path: values.path ?? null, targets: chosen };
}

/** Runs the targets in turns; returns the names of those that failed. */
async function fuzz(options: Options): Promise<Set<string>> {
  const end = performance.now() + options.seconds * 1000;
  const inputs = new Map(options.targets.map(({ name }) => [name, 0]));
  const failed = new Set<string>();
  for (let round = 0; round === 0 || performance.now() < end; round++) {
    const left = options.targets.filter(({ name }) => !failed.has(name));
    if (left.length === 0) break;
    for (const [index, target] of left.entries()) {
      const share = (end - performance.now()) / (left.length - index);
      if (round > 0 && share <= 0) break;
      const seed = (options.seed + round) | 0;
      const result = await target.run({
        seed,
        milliseconds: Math.max(50, Math.min(TURN, share)),
        examples: options.path === null && round === 0 ? await readCorpus(target.name) : [],
        path: options.path,
      });
      inputs.set(target.name, (inputs.get(target.name) ?? 0) + result.inputs);
      if (result.failure === null) continue;
      failed.add(target.name);
      await report(target, seed, result.failure);
    }
    if (options.path !== null) break;
  }
  for (const [name, count] of inputs) {
    console.log(`${failed.has(name) ? "FAILED" : "ok    "}  ${name} (${count} inputs)`);
  }
  return failed;
}

async function report(target: FuzzTarget, seed: number, failure: RunFailure): Promise<void> {
  await addToCorpus(target.name, failure.input);
  console.log(`${target.name} failed with the input\n${JSON.stringify(failure.input, null, 2)}`);
  console.log(failure.error);
  console.log(`The input was added to fuzz/corpus/${target.name}.json. To run it again:`);
  console.log(`  deno task fuzz --seed ${seed} --path "${failure.path}" ${target.name}\n`);
}

try {
  const options = readOptions();
  console.log(`seed ${options.seed}, ${options.seconds} seconds`);
  const failed = await fuzz(options);
  console.log(`${options.targets.length - failed.size} passed, ${failed.size} failed`);
  Deno.exit(failed.size === 0 ? 0 : 1);
} catch (error) {
  console.error(messageOf(error));
  Deno.exit(2);
}
