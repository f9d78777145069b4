/** Writes the results of the doctor as text and as JSON. */

import { visibleText } from "../quickserve/pages/display.ts";
import { wrap } from "../wrap.ts";
import type { Finding } from "./check.ts";
import type { Examination } from "./doctor.ts";

/** The layout of a report. */
interface ReportStyle {
  /** Columns of the terminal. */
  readonly width: number;
  readonly isColoured: boolean;
}

/** Colours of the terminal (ECMA-48, SGR). */
const COLOURS: Readonly<Record<Finding["result"], number>> = { well: 32, wrong: 31, unknown: 33 };

/** The least width of the text in columns. A narrower terminal breaks the lines itself. */
const MIN_WIDTH = 30;

/** Returns the report as text: each check, its cure below it, and a summary at the end. */
export function reportText({ checks, isRunning }: Examination, style: ReportStyle): string {
  const words = Math.max(...checks.map(({ result }) => result.length)) + 2;
  const names = Math.max(...checks.map(({ name }) => name.length)) + 2;
  const indent = words + names;
  const width = Math.max(MIN_WIDTH, style.width - indent);
  const lines = checks.flatMap((check) => {
    const { name, result, text } = check;
    // The text may contain replies of peers and mirrors: escape control characters.
    const [first = "", ...rest] = wrap(visibleText(text), width);
    const word = coloured(result.padEnd(words), COLOURS[result], style);
    const cure = check.result === "wrong" ? wrap(`-> ${visibleText(check.cure)}`, width) : [];
    return [
      word + name.padEnd(names) + first,
      ...[...rest, ...cure].map((line) => " ".repeat(indent) + line),
    ];
  });
  return [...lines, "", summary({ checks, isRunning })].join("\n");
}

/** Returns the report as JSON data; `doc/status.md` describes it. */
export function reportData({ checks, isRunning }: Examination): unknown {
  return { version: 1, running: isRunning, well: !isAnyWrong({ checks }), checks };
}

/** True when a check found a problem. */
export function isAnyWrong({ checks }: Pick<Examination, "checks">): boolean {
  return checks.some(({ result }) => result === "wrong");
}

function summary({ checks, isRunning }: Examination): string {
  if (!isRunning) return "pacserve does not run.";
  const count = (wanted: Finding["result"]): number =>
    checks.filter(({ result }) => result === wanted).length;
  const wrong = count("wrong");
  const untold = count("unknown");
  const first = wrong === 0
    ? "Nothing is wrong."
    : wrong === 1
    ? "One thing is wrong."
    : `${wrong} things are wrong.`;
  return untold === 0 ? first : `${first} Unknown: ${untold}.`;
}

function coloured(text: string, colour: number, { isColoured }: ReportStyle): string {
  return isColoured ? `\x1b[${colour}m${text}\x1b[0m` : text;
}
