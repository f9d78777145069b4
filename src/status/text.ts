/** Writes the status as text for a terminal. */

import {
  count,
  groupDigits,
  humanDuration,
  humanSize,
  visibleText,
} from "../quickserve/pages/display.ts";
import { wrap } from "../wrap.ts";
import { SOURCE_LABELS, STATE_LABELS } from "./labels.ts";
import type { Period, Snapshot, TransferStatus } from "./snapshot.ts";
import { type Amount, FILE_SOURCES } from "./traffic.ts";

/** Options of the text. */
interface TextOptions {
  /** Columns of the terminal. */
  readonly width: number;
  /** True to use escape sequences for colours (ECMA-48 SGR). */
  readonly isColoured: boolean;
  /** The recent rates of transfers in bytes per second, by {@link transferKey}, if known. */
  readonly rates?: ReadonlyMap<string, number>;
}

/** At most this many lines of a list are shown; the JSON has all. */
const MAX_ROWS = 20;

const SGR = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

type Style = keyof typeof SGR;

/** Returns a key that identifies a transfer in successive snapshots. */
function transferKey({ direction, file, to }: TransferStatus): string {
  return `${direction} ${file} ${to}`;
}

/** Returns the status as text. Lines fit the width unless it is too small for a name and a number. */
export function statusText(snapshot: Snapshot, options: TextOptions): string {
  const paint = painter(options.isColoured);
  const blocks = [
    head(snapshot, options, paint),
    problems(snapshot, options, paint),
    transfers(snapshot, options, paint),
    counters(snapshot, options, paint),
    peers(snapshot, options, paint),
    mirrors(snapshot, options, paint),
  ];
  return blocks.filter((lines) => lines.length > 0).map((lines) => lines.join("\n")).join("\n\n") +
    "\n";
}

type Paint = (text: string, ...styles: readonly Style[]) => string;

function painter(isColoured: boolean): Paint {
  return (text, ...styles) =>
    isColoured && text.trim() !== ""
      ? `\x1b[${styles.map((style) => SGR[style]).join(";")}m${text}\x1b[0m`
      : text;
}

function head(
  { program, running, addresses, counters }: Snapshot,
  { width }: TextOptions,
  paint: Paint,
): string[] {
  const name = `${program.name} ${program.version}`;
  const since = `running since ${localTime(running.since)} (${humanDuration(running.seconds)})`;
  const isOneLine = name.length + GAP.length + since.length <= width;
  return [
    ...isOneLine
      ? [`${paint(name, "bold")}${GAP}${since}`]
      : [paint(name, "bold"), ...wrap(since, width - 2).map(indented)],
    ...addresses.map((address) => `  ${paint(cut(address, width - 2), "cyan")}`),
    ...(counters.kept ? [] : wrap("The counters restart at zero with each start.", width - 2)
      .map((line) => paint(indented(line), "dim"))),
  ];
}

function problems({ problems }: Snapshot, { width }: TextOptions, paint: Paint): string[] {
  return problems.flatMap((problem) =>
    wrap(visibleText(problem), width - 2).map((line, index) =>
      paint(`${index === 0 ? "! " : "  "}${line}`, "red")
    )
  );
}

function counters({ counters }: Snapshot, options: TextOptions, paint: Paint): string[] {
  const rows: [string, Period][] = [
    ["since start", counters.sinceStart],
    ["today", counters.today],
    [`since ${localTime(counters.installed).slice(0, 10)}`, counters.sinceInstallation],
  ];
  const table: Row[] = rows.flatMap(([name, { received, saved }]) => {
    const amounts = [...FILE_SOURCES.map((source) => received[source]), saved.here, saved.others];
    const cells = (text: (amount: Amount) => string): Cell[] =>
      amounts.map((amount, column): Cell => ({
        text: amount.files === 0 && amount.bytes === 0 ? "-" : text(amount),
        isNumber: true,
        ...(column === FILE_SOURCES.length ? { style: "green" } : {}),
      }));
    const files = cells((amount) => groupDigits(amount.files));
    return [
      { cells: [{ text: name }, ...cells(({ bytes }) => humanSize(bytes))] },
      ...(files.every(({ text }) => text === "-")
        ? []
        : [{ cells: [{ text: "  files" }, ...files] }]),
    ];
  });
  const titles = [
    "Files and bytes",
    ...FILE_SOURCES.map((source) => SOURCE_LABELS[source]),
    "LAN saved",
    "served",
  ];
  return [...drawTable(titles, table, options, paint), ...sentence(counters, options, paint)];
}

/** Returns the sentence below the table: what the LAN saved. */
function sentence(
  { sinceInstallation: { saved } }: Snapshot["counters"],
  { width }: TextOptions,
  paint: Paint,
): string[] {
  const { here, others } = saved;
  const facts = [
    ...here.bytes === 0 ? [] : [`${humanSize(here.bytes)} did not come over the internet`],
    ...others.bytes === 0 ? [] : [`others got ${humanSize(others.bytes)} from here`],
  ];
  if (facts.length === 0) return [];
  const text = facts.join(", and ");
  return wrap(`${text.charAt(0).toUpperCase()}${text.slice(1)}.`, width)
    .map((line) => paint(line, "dim"));
}

function transfers({ transfers }: Snapshot, options: TextOptions, paint: Paint): string[] {
  if (transfers.length === 0) return [];
  const lines = [paint("Transfers", "bold")];
  for (const transfer of transfers.slice(0, MAX_ROWS)) {
    lines.push(...transferLines(transfer, options, paint));
  }
  return [...lines, ...more(transfers.length)];
}

/** The length of a bar in characters, and the columns that it leaves for the text next to it. */
const BAR = { min: 5, max: 20, beside: 45 };

/** Columns before the name of a file. */
const INDENT = 5;

function transferLines(transfer: TransferStatus, options: TextOptions, paint: Paint): string[] {
  const { direction, file, size, done, from, to } = transfer;
  const rate = options.rates?.get(transferKey(transfer)) ?? transfer.rate;
  const share = size === null || size === 0 ? 0 : Math.min(1, done / size);
  const length = Math.max(BAR.min, Math.min(BAR.max, options.width - BAR.beside));
  const full = Math.round(share * length);
  const bar = size === null
    ? ""
    : `[${paint("#".repeat(full), "green")}${"-".repeat(length - full)}] ${percent(share)}  `;
  const amount = size === null ? humanSize(done) : `${humanSize(done)} of ${humanSize(size)}`;
  const facts = `${humanSize(rate)}/s  ${amount}`;
  const place = direction === "sending" ? `to ${to}` : from === null ? "" : `from ${from}`;
  const room = options.width - INDENT - (size === null ? 0 : length + "[] 100 %  ".length);
  const line = `${facts}  ${visibleText(place)}`.trimEnd();
  // The source must be visible on a terminal of 80 columns, too.
  const [first, ...rest] = line.length <= room ? [line] : [facts, visibleText(place)];
  return [
    `  ${direction === "sending" ? "<-" : "->"} ${cut(visibleText(file), options.width - INDENT)}`,
    " ".repeat(INDENT) + bar + cut(first, room),
    ...rest.map((text) => " ".repeat(INDENT) + cut(text, options.width - INDENT)),
  ];
}

function percent(share: number): string {
  return `${String(Math.floor(share * 100)).padStart(3)} %`;
}

function peers({ peers, discovery }: Snapshot, options: TextOptions, paint: Paint): string[] {
  const { means, interfaces } = discovery;
  const where = means.length === 0
    ? "only peers that --peer names are used"
    : `discovery uses ${means.join(" and ")} on ${interfaces.join(", ") || "no interface"}`;
  if (peers.length === 0) {
    return [paint("Peers", "bold"), ...wrap(`none; ${where}`, options.width - 2).map(indented)];
  }
  const rows: Row[] = peers.slice(0, MAX_ROWS).map((peer) => ({
    cells: [
      // Drop the scheme, because nearly all peers use HTTP.
      { text: visibleText(peer.url.replace(/^http:\/\/|\/$/g, "")) },
      stateCell(peer.state),
      { text: peer.foundBy.join(", ").replace("multicast DNS", "mDNS") },
      { text: peer.roundTrip === null ? "-" : `${peer.roundTrip.toFixed(1)} ms`, isNumber: true },
      { text: rateText(peer.rate), isNumber: true },
      receivedCell(peer.received),
      failuresCell(peer.failures),
    ],
    ...(peer.trouble === null ? {} : { note: visibleText(peer.trouble) }),
  }));
  const titles = ["Peers", "state", "found by", "ping", "rate", "received", "failed"];
  return [...drawTable(...used(titles, rows), options, paint), ...more(peers.length)];
}

function mirrors({ mirrors }: Snapshot, options: TextOptions, paint: Paint): string[] {
  if (mirrors.length === 0) return [];
  const rows: Row[] = mirrors.slice(0, MAX_ROWS).map((mirror) => ({
    cells: [
      { text: mirror.origin },
      stateCell(mirror.state),
      { text: rateText(mirror.rate), isNumber: true },
      receivedCell(mirror.received),
      failuresCell(mirror.failures),
    ],
  }));
  const titles = ["Mirrors", "state", "rate", "received", "failed"];
  return [...drawTable(...used(titles, rows), options, paint), ...more(mirrors.length)];
}

function more(length: number): string[] {
  return length > MAX_ROWS ? [`  and ${length - MAX_ROWS} more (--json has all)`] : [];
}

function stateCell(state: keyof typeof STATE_LABELS): Cell {
  const text = STATE_LABELS[state];
  const isGood = text === "answers";
  const isUnknown = text === "unknown";
  return { text, style: isGood ? "green" : isUnknown ? "dim" : "red" };
}

function receivedCell({ bytes }: Amount): Cell {
  return { text: bytes === 0 ? "-" : humanSize(bytes), isNumber: true };
}

function failuresCell(failures: number): Cell {
  return failures === 0
    ? { text: "-", isNumber: true }
    : { text: String(failures), isNumber: true, style: "red" };
}

/** Formats an amount: `12 files, 29.3 MiB`; a dash for zero. */
export function amountText({ files, bytes }: Amount): string {
  return files === 0 && bytes === 0 ? "-" : `${count(files, "file")}, ${humanSize(bytes)}`;
}

/** Formats a rate; a dash if it is zero or unknown. */
export function rateText(rate: number | null): string {
  return rate === null || rate === 0 ? "-" : `${humanSize(rate)}/s`;
}

/** Formats a time in the time zone of this host: `2026-11-26 17:05`. */
export function localTime(iso: string): string {
  const date = new Date(iso);
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** A cell of a table. */
interface Cell {
  readonly text: string;
  readonly isNumber?: boolean;
  readonly style?: Style;
}

/** The cells of a row, and a sentence that is shown below it. */
interface Row {
  readonly cells: readonly Cell[];
  readonly note?: string;
}

const GAP = "  ";

/** Returns the columns that are not empty. */
function used(titles: readonly string[], rows: readonly Row[]): [string[], Row[]] {
  const isUsed = titles.map((_, column) => rows.some(({ cells }) => cells[column]?.text !== "-"));
  return [
    titles.filter((_, column) => isUsed[column]),
    rows.map((row) => ({ ...row, cells: row.cells.filter((_, column) => isUsed[column]) })),
  ];
}

/** Draws a table with aligned columns; if the terminal is too narrow, a list with one line per cell. */
function drawTable(
  titles: readonly string[],
  rows: readonly Row[],
  { width }: TextOptions,
  paint: Paint,
): string[] {
  const head = titles.map((text, column): Cell => ({ text, style: column === 0 ? "bold" : "dim" }));
  const all = [
    head,
    ...rows.map(({ cells: [first, ...others] }) => [
      { ...first, text: `  ${first?.text ?? ""}` },
      ...others,
    ]),
  ];
  const widths = titles.map((_, column) =>
    Math.max(...all.map((cells) => cells[column]?.text.length ?? 0))
  );
  const total = widths.reduce((sum, each) => sum + each + GAP.length, -GAP.length);
  if (total > width) return drawList(titles, rows, width, paint);
  const isNumber = titles.map((_, column) => all.some((cells) => cells[column]?.isNumber === true));
  const lines = all.map((cells) =>
    cells.map(({ text, style }, column) => {
      const space = " ".repeat((widths[column] ?? 0) - text.length);
      const painted = style === undefined ? text : paint(text, style);
      return isNumber[column] === true ? space + painted : painted + space;
    }).join(GAP).trimEnd()
  );
  return lines.flatMap((line, index) => [line, ...noteLines(rows[index - 1], width, paint)]);
}

function drawList(
  titles: readonly string[],
  rows: readonly Row[],
  width: number,
  paint: Paint,
): string[] {
  const room = Math.max(...titles.slice(1).map((title) => title.length));
  const lines = [paint(titles[0] ?? "", "bold")];
  for (const row of rows) {
    const [first, ...others] = row.cells;
    lines.push(cut(`  ${first?.text ?? ""}`, width));
    for (const [index, { text, style }] of others.entries()) {
      if (text === "-") continue;
      const title = (titles[index + 1] ?? "").padEnd(room);
      const shown = cut(text, width - room - 6);
      lines.push(
        `    ${paint(title, "dim")}  ${style === undefined ? shown : paint(shown, style)}`,
      );
    }
    lines.push(...noteLines(row, width, paint));
  }
  return lines;
}

function noteLines(row: Row | undefined, width: number, paint: Paint): string[] {
  if (row?.note === undefined) return [];
  return wrap(row.note, width - 4).map((line) => paint(`    ${line}`, "red"));
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(1, width - 1))}…`;
}

function indented(line: string): string {
  return `  ${line}`;
}

/** Measures the rates of transfers between successive snapshots of one server. */
export class TransferRates {
  #before = new Map<string, { readonly done: number; readonly time: number }>();
  #recent = new Map<string, number>();

  /** Bytes per second between the last two snapshots, by {@link transferKey}. */
  get recent(): ReadonlyMap<string, number> {
    return this.#recent;
  }

  /** Adds the next snapshot. */
  add({ time, transfers }: Pick<Snapshot, "time" | "transfers">): void {
    const now = Date.parse(time);
    const points = new Map(
      transfers.map((transfer) => [transferKey(transfer), { done: transfer.done, time: now }]),
    );
    this.#recent = new Map(
      [...points].flatMap(([key, { done }]) => {
        const before = this.#before.get(key);
        // A download that was restarted has fewer bytes than before.
        if (before === undefined || now <= before.time || done < before.done) return [];
        return [[key, Math.round((done - before.done) / (now - before.time) * 1000)]];
      }),
    );
    this.#before = points;
  }
}
