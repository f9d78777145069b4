/**
 * `deno task fuzz`: hostile input, with seeds and shrinking. The last line is `N passed, N failed`: a
 * target counts as one.
 */

import { readArguments } from "../scripts/arguments.ts";
import { messageOf } from "../src/failure.ts";
import { addToCorpus, readCorpus } from "./corpus.ts";
import type { FuzzTarget, RunFailure } from "./target.ts";
import { targets } from "./targets.ts";

/** Seconds for all the targets together, unless told otherwise. */
const SECONDS = "60";

/** A target gets this much time, in milliseconds, before the next one has its turn. */
const TURN = 2_000;

const USAGE = `usage: deno task fuzz [options] [<target> ...]

Throws inputs at everything that reads what strangers and users write, until the time is over or a
property breaks.

  --seconds <number>  for all the targets together (${SECONDS})
  --seed <number>     the seed of a run that is to be repeated
  --path <path>       the one failing case of it, with one target

Targets, all of them unless told otherwise: ${targets.map(({ name }) => name).join(", ")}.`;

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
  if (unknown !== undefined) throw new Error(`${unknown} is no target; they are ${names}`);
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
  console.log(`${target.name} broke with the input\n${JSON.stringify(failure.input, null, 2)}`);
  console.log(failure.error);
  console.log(`It is kept in fuzz/corpus/${target.name}.json. To run it again:`);
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
