/** The rows of the table: what was measured, what is promised, and whether the promise is met. */

import type { Summary } from "./statistics.ts";

/** A row. */
export interface Row {
  readonly name: string;
  /** Text for the table: `31,000 against 60,000 requests/s`. */
  readonly measured: string;
  /** The figure that is compared: median and spread over the rounds. */
  readonly figure: Summary;
  /** The promised bound of the figure. */
  readonly reach: {
    readonly bound: "at most" | "less than" | "at least";
    readonly value: number;
  };
  /** The unit of the figure: `× nginx`, `ms`, `MB`. */
  readonly unit: string;
}

/** The options of a measurement. */
export interface Bench {
  /** Measure with fewer and shorter rounds, for development. */
  readonly quick: boolean;
  /** How often each server is measured. */
  readonly rounds: number;
  /** A directory that is removed at the end. */
  readonly scratch: string;
  /** Prints a line about the progress. */
  readonly say: (line: string) => void;
  /** True when the user asked for a row. */
  readonly isWanted: (name: string) => boolean;
}

/** Rows that are measured together. */
export interface Measurement {
  readonly names: readonly string[];
  /** Measures the rows with these names. It may return more rows than the user asked for. */
  readonly measure: (bench: Bench) => Promise<Row[]>;
}

/** Rows that could not be measured. */
export interface Trouble {
  readonly names: readonly string[];
  readonly reason: string;
}

/** True when the median of a row meets the promise. */
export function isMet({ figure: { median }, reach: { bound, value } }: Row): boolean {
  if (bound === "at least") return median >= value;
  return bound === "at most" ? median <= value : median < value;
}

/** The rows as a table. */
export function table(rows: readonly Row[]): string {
  const cells = [
    ["what", "figure", "spread", "reach", "", "measured"],
    ...rows.map((row) => [
      row.name,
      `${short(row.figure.median)} ${row.unit}`,
      row.figure.samples === 1
        ? "one sample"
        : `${short(row.figure.least)} … ${short(row.figure.greatest)}`,
      `${row.reach.bound} ${short(row.reach.value)}`,
      isMet(row) ? "met" : "NOT MET",
      row.measured,
    ]),
  ];
  const widths =
    cells[0]?.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0))) ?? [];
  return cells.map((line) =>
    line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()
  ).join("\n");
}

/** A number rounded to three significant digits, or to a whole number from 100 on. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}
