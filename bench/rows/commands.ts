/** Measures how long users wait for commands. */

import { fileURLToPath } from "node:url";
import { launchedCommands } from "../../scripts/build/commands.ts";
import { commandOf, startPacserve } from "../candidates.ts";
import { duration } from "../program.ts";
import { type Bench, type Measurement, type Row, short } from "../row.ts";
import { median, summarize } from "../statistics.ts";

const PACSRV = "pacsrv -Q over pacman -Q";

const launched = launchedCommands().map(({ name }) => name);

function startName(command: string): string {
  return `start-up: ${command}`;
}

/** The measurements of this file. */
export const commands: readonly Measurement[] = [
  { names: [PACSRV], measure: async (bench) => [await pacsrv(bench)] },
  ...launched.map((command) => ({
    names: [startName(command)],
    measure: async (bench: Bench) => [await startUp(bench, command)],
  })),
];

/** The time of `--version`. (pacsrv has no options of its own, and prints pacman's command line.) */
async function startUp(bench: Bench, name: string): Promise<Row> {
  const command = [...await commandOf(name, bench), "--version"];
  const samples: number[] = [];
  for (let round = -1; round < 2 * bench.rounds; round++) {
    const time = await duration(command);
    if (round >= 0) samples.push(time);
  }
  return {
    name: startName(name),
    measured: "--version, from start to end",
    figure: summarize(samples),
    reach: { bound: "at most", value: 100 },
    unit: "ms",
  };
}

/**
 * The time of `pacsrv` compared to plain pacman, on an empty root and with a running pacserve. Both run
 * in a mount namespace with its own /var/cache and its own file that names pacserve.
 */
async function pacsrv(bench: Bench): Promise<Row> {
  const place = await Deno.makeTempDir({ dir: bench.scratch, prefix: "pacsrv-" });
  for (const name of ["root", "database", "cache", "etc/pacman.d"]) {
    await Deno.mkdir(`${place}/${name}`, { recursive: true });
  }
  await using pacserve = await startPacserve(bench, { cache: `${place}/root` });
  await Deno.writeTextFile(
    `${place}/etc/pacman.d/pacserve`,
    `Server = http://localhost:${pacserve.port}/pacman/$repo/$arch\n`,
  );
  const configuration = `${place}/pacman.conf`;
  await Deno.writeTextFile(
    configuration,
    "[options]\nArchitecture = x86_64\n[core]\nServer = http://127.0.0.1:9/$repo\n",
  );
  const program = (await commandOf("pacsrv", bench)).slice(0, -1).join(" ");
  const launcher = fileURLToPath(import.meta.resolve("../../launchers/pacsrv"));
  await Deno.writeTextFile(
    `${place}/pacsrv`,
    (await Deno.readTextFile(launcher)).replaceAll("@PROGRAM@", program),
    { mode: 0o755 },
  );
  const question = `-Q --config ${configuration} --root ${place}/root --dbpath ${place}/database`;
  const samples: [number[], number[]] = [[], []];
  for (let round = -1; round < 2 * bench.rounds; round++) {
    for (const [index, words] of [`${place}/pacsrv ${question}`, `pacman ${question}`].entries()) {
      const time = await duration(inNamespace(place, words));
      if (round >= 0) samples[index]?.push(time);
    }
  }
  const over = samples[0].map((time, round) => time - (samples[1][round] ?? NaN));
  return {
    name: PACSRV,
    measured: `${short(median(samples[0]))} against ${
      short(median(samples[1]))
    } ms, both with unshare(1)`,
    figure: summarize(over),
    reach: { bound: "at most", value: 60 },
    unit: "ms more",
  };
}

/** Runs words in a mount namespace. Status 1 is accepted: `pacman -Q` without packages ends with it. */
function inNamespace(place: string, words: string): string[] {
  const script = `mount --bind ${place}/cache /var/cache &&
    mount -t overlay overlay -o lowerdir=${place}/etc:/etc /etc && ${words}
    [ $? -le 1 ]`;
  const root = Deno.uid() === 0 ? [] : ["--map-root-user"];
  return ["unshare", "--mount", ...root, "sh", "-c", script];
}
