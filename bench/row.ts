/** One row of the table: what was measured, what is to be reached, and whether it is. */

import type { Summary } from "./statistics.ts";

/** A row. */
export interface Row {
  readonly name: string;
  /** For people: `31,000 against 60,000 requests/s`. */
  readonly measured: string;
  /** The figure that is compared: median and spread over the rounds. */
  readonly figure: Summary;
  /** `at most` or `at least` this figure. */
  readonly reach: { readonly bound: "at most" | "at least"; readonly value: number };
  /** What the figure is in: `× nginx`, `ms`, `MB`. */
  readonly unit: string;
}

/** What a group of rows is given. */
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

/** A group of rows that is measured together. */
export interface Group {
  readonly names: readonly string[];
  readonly measure: (bench: Bench) => Promise<Row[]>;
}

/** Whether a row's median is where it should be. */
export function isMet({ figure, reach }: Row): boolean {
  return reach.bound === "at least" ? figure.median >= reach.value : figure.median <= reach.value;
}

/** The rows as a table. */
export function table(rows: readonly Row[]): string {
  const cells = [
    ["what", "figure", "spread", "reach", "", "measured"],
    ...rows.map((row) => [
      row.name,
      `${short(row.figure.median)} ${row.unit}`,
      `${short(row.figure.least)} … ${short(row.figure.greatest)}`,
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
