/** Runs `pacserve-status --check`: examines the host, prints the report, and returns the exit status. */

import { writeOutput } from "../files.ts";
import { escapeJson } from "../quickserve/pages/display.ts";
import { CheckedHost } from "./checked_host.ts";
import { type ExaminationListener, examine } from "./doctor.ts";
import { isAnyWrong, reportData, reportText } from "./report.ts";

/** Options of the doctor. */
export interface DoctorOptions {
  /** True to print JSON. */
  readonly json: boolean;
  /** True to use colours. */
  readonly isColoured: boolean;
  /** The width of the terminal; null if the output is not a terminal. */
  readonly columns: number | null;
}

/** Columns if the output is not a terminal. */
const PLAIN_WIDTH = 120;

/** The exit status if something is wrong, and if pacserve does not run. */
const WRONG = 1;
const NOT_RUNNING = 3;

/** Examines this host and prints the report. @returns the exit status: 0, 1 or 3. */
export async function runDoctor({ json, isColoured, columns }: DoctorOptions): Promise<number> {
  const progress = columns === null || json ? null : new Progress(columns);
  const examination = await examine(new CheckedHost(), progress);
  const report = json
    ? escapeJson(JSON.stringify(reportData(examination), null, 2))
    : reportText(examination, { width: columns ?? PLAIN_WIDTH, isColoured });
  await writeOutput(`${report}\n`);
  if (!examination.isRunning) return NOT_RUNNING;
  return isAnyWrong(examination) ? WRONG : 0;
}

/** Shows the names of the unfinished checks in one line of the terminal, and clears it at the end. */
class Progress implements ExaminationListener {
  readonly #columns: number;

  constructor(columns: number) {
    this.#columns = columns;
  }

  progressed(waiting: readonly string[]): void {
    const names = `trying: ${waiting.join(", ")}`.slice(0, this.#columns - 1);
    const text = waiting.length === 0 ? "" : names;
    Deno.stdout.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
  }
}
