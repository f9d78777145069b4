/** `deno task bench`: measures whether the promised speeds are met, and prints a table. */

import { Failure, messageOf } from "../src/failure.ts";
import { readArguments } from "../scripts/arguments.ts";
import { provideTools, SYSTEM_PATH } from "../scripts/tools.ts";
import { type Bench, isMet, type Measurement, type Row, table, type Trouble } from "./row.ts";
import { commands } from "./rows/commands.ts";
import { cost } from "./rows/cost.ts";
import { finding } from "./rows/finding.ts";
import { listing } from "./rows/listing.ts";
import { relaying } from "./rows/relaying.ts";
import { serving } from "./rows/serving.ts";
import { together } from "./rows/together.ts";
import { upgrading } from "./rows/upgrade.ts";

const MEASUREMENTS: readonly Measurement[] = [
  ...serving,
  listing,
  ...finding,
  ...relaying,
  ...together,
  ...upgrading,
  ...cost,
  ...commands,
];

const USAGE = `usage: deno task bench [options]

Measures whether the promised speeds are met, and prints a table.

  --quick         fewer and shorter rounds
  --only <words>  only rows whose names contain these words; may be given several times
  --list          list the names of the rows, and measure nothing
  --json          print the results as JSON
  --strict        exit with 1 when a promise is not met`;

const { values } = readArguments(USAGE, {
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    strict: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
  },
});

async function main(): Promise<number> {
  const isWanted = (name: string): boolean =>
    values.only.length === 0 || values.only.some((words) => name.includes(words));
  const wanted = MEASUREMENTS.filter(({ names }) => names.some(isWanted));
  if (wanted.length === 0) throw new Failure(`no row is named ${values.only.join(" or ")}`);
  if (values.list) {
    console.log(wanted.flatMap(({ names }) => names).filter(isWanted).join("\n"));
    return 0;
  }
  const say = (line: string): void => console.error(line);
  // Use the same PATH in which `provideTools` looks for programs.
  Deno.env.set("PATH", SYSTEM_PATH);
  await provideTools(["bench"], say);
  const scratch = await Deno.makeTempDir({ prefix: "pacserve-bench-" });
  try {
    const bench: Bench = {
      quick: values.quick,
      rounds: values.quick ? 3 : 7,
      scratch,
      say,
      isWanted,
    };
    const rows: Row[] = [];
    const troubles: Trouble[] = [];
    for (const { names, measure } of wanted) {
      const asked = names.filter(isWanted);
      try {
        say(`${asked.join("; ")} …`);
        rows.push(...await measure(bench));
      } catch (error) {
        // Go on with the other measurements.
        troubles.push({ names: asked, reason: messageOf(error) });
        console.error(error);
      }
    }
    const shown = rows.filter(({ name }) => isWanted(name));
    report(shown, troubles);
    return troubles.length > 0 || (values.strict && !shown.every(isMet)) ? 1 : 0;
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

function report(rows: readonly Row[], troubles: readonly Trouble[]): void {
  if (values.json) {
    const machine = { cores: navigator.hardwareConcurrency, load: Deno.loadavg() };
    const data = rows.map((row) => ({ ...row, met: isMet(row) }));
    console.log(JSON.stringify({ machine, rows: data, troubles }, null, 2));
    return;
  }
  if (rows.length > 0) console.log(table(rows));
  for (const { names, reason } of troubles) {
    console.log(`\nNot measured: ${names.join("; ")}: ${reason}`);
  }
  console.log(`\nLoad of the machine: ${Deno.loadavg().map((one) => one.toFixed(1)).join(", ")}`);
}

let status = 1;
try {
  status = await main();
} catch (error) {
  console.error(error instanceof Failure ? messageOf(error) : error);
}
Deno.exit(status);
