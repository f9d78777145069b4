/** One row of the table: what was measured, what is to be reached, and whether it is. */

import type { Summary } from "./statistics.ts";

/** A row. */
export interface Row {
  readonly name: string;
  /** For people: `31,000 against 60,000 requests/s`. */
  readonly measured: string;
  /** The figure that is compared: median and spread over the rounds. */
  readonly figure: Summary;
  /** On which side of this value the figure is to be. */
  readonly reach: {
    readonly bound: "at most" | "less than" | "at least";
    readonly value: number;
  };
  /** What the figure is in: `× nginx`, `ms`, `MB`. */
  readonly unit: string;
}

/** What a measurement is given. */
export interface Bench {
  /** Fewer rounds, shorter ones: for development. */
  readonly quick: boolean;
  /** How often each candidate has its turn. */
  readonly rounds: number;
  /** A directory that is removed at the end. */
  readonly scratch: string;
  /** Tells what is going on. */
  readonly say: (line: string) => void;
  /** Whether a row was asked for. */
  readonly isWanted: (name: string) => boolean;
}

/** Rows that are measured together. */
export interface Measurement {
  readonly names: readonly string[];
  /** The rows of these names; more than were asked for do no harm. */
  readonly measure: (bench: Bench) => Promise<Row[]>;
}

/** Rows that could not be measured. */
export interface Trouble {
  readonly names: readonly string[];
  readonly reason: string;
}

/** Whether a row's median is where it should be. */
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

/** A number with as many digits as mean something. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}
