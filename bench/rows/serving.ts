/** Measures bytes and requests per second, plain and under TLS, and their processor time; with nginx. */

import { fileURLToPath } from "node:url";
import {
  certificateFiles,
  startBareServer,
  startCaddy,
  startNginx,
  startQuickserve,
  writeRandomFile,
} from "../candidates.ts";
import { load, type Program } from "../program.ts";
import { type Bench, type Measurement, type Row, short } from "../row.ts";
import { median, ratios } from "../statistics.ts";

const BIG = 300_000_000;

/** Downloads of the big file in a round. Several, because processor time is counted in 0.01 seconds. */
const DOWNLOADS = 3;

/** A file, how many clients download it, and the promised ratios without and with TLS. */
interface Load {
  readonly name: string;
  readonly file: string;
  readonly size: number;
  readonly clients: number;
  readonly plain: number;
  readonly tls: number;
  /** Requests a second as a share of those of bare `node:http`; null where that is not measured. */
  readonly bare: number | null;
}

const LOADS: readonly Load[] = [
  {
    name: "300 MB, 1 client",
    file: "big",
    size: BIG,
    clients: 1,
    plain: 0.6,
    tls: 0.5,
    bare: null,
  },
  {
    name: "200 KiB, 16 clients",
    file: "middle",
    size: 200 * 1024,
    clients: 16,
    plain: 0.45,
    tls: 0.5,
    bare: 0.8,
  },
  {
    name: "4 KiB, 16 clients",
    file: "small",
    size: 4 * 1024,
    clients: 16,
    plain: 0.3,
    tls: 0.5,
    bare: 0.6,
  },
];

/** Processor time per byte is measured only with files larger than this, in bytes. */
const COSTLY = 100_000;

/** The results of this server, of nginx, of a bare server on Deno, and of caddy. */
type Samples = [number[], number[], number[], number[]];

/** `31,000 against 60,000 requests/s (bare Deno 33,000)`. */
function comparison(samples: Samples, scale: (value: number) => number, unit: string): string {
  const [ours, theirs, bare] = samples.slice(0, 3).map((one) => short(scale(median(one))));
  return `${ours} against ${theirs} ${unit} (bare Deno ${bare})`;
}

function bareName({ name }: Load): string {
  return `${name}, beside bare Deno`;
}

function caddyName({ name }: Load): string {
  return `${name}, beside caddy`;
}

function costName({ name }: Load): string {
  return `CPU seconds per GB: ${name}`;
}

/** The measurements of this file. */
export const serving: readonly Measurement[] = [false, true].flatMap((tls) =>
  LOADS.map((one) => ({
    names: [
      rowName(one, tls),
      ...(hasCost(one, tls) ? [costName(one)] : []),
      ...(isComparedMore(one, tls) ? [bareName(one), caddyName(one)] : []),
    ],
    measure: (bench: Bench) => measure(bench, one, tls),
  }))
);

function rowName({ name }: Load, tls: boolean): string {
  return tls ? `${name}, TLS` : name;
}

function hasCost({ size }: Load, tls: boolean): boolean {
  return !tls && size > COSTLY;
}

function isComparedMore({ bare }: Load, tls: boolean): boolean {
  return bare !== null && !tls;
}

async function measure(bench: Bench, one: Load, tls: boolean): Promise<Row[]> {
  const files = `${bench.scratch}/files`;
  await Deno.mkdir(files, { recursive: true });
  await writeRandomFile(`${files}/${one.file}`, one.size);
  const certificate = tls ? await certificateFiles(bench) : null;
  await using ours = await startQuickserve(bench, files, certificate);
  await using theirs = await startNginx(bench, files, certificate);
  await using bare = await startBareServer(bench, files, certificate);
  await using caddy = isComparedMore(one, tls) ? await startCaddy(bench, files) : null;
  const candidates = [ours, theirs, bare, ...(caddy === null ? [] : [caddy])];
  const speeds: Samples = [[], [], [], []];
  const costs: Samples = [[], [], [], []];
  // The first round warms up: page cache, compiled code.
  for (let round = -1; round < bench.rounds; round++) {
    for (const [index, candidate] of candidates.entries()) {
      const before = await candidate.cpuSeconds();
      const { requests, perSecond } = await put(bench, one, candidate, tls);
      const seconds = await candidate.cpuSeconds() - before;
      if (round < 0) continue;
      speeds[index]?.push(perSecond);
      costs[index]?.push(seconds / (requests * one.size / 1e9));
    }
  }
  return [
    speedRow(rowName(one, tls), one, tls ? one.tls : one.plain, speeds),
    ...(hasCost(one, tls) ? [costRow(one, costs)] : []),
    ...(one.bare === null || tls
      ? []
      : [besideRow(bareName(one), speeds, 2, "bare Deno", one.bare)]),
    ...(caddy === null ? [] : [besideRow(caddyName(one), speeds, 3, "caddy", 1)]),
  ];
}

function speedRow(
  name: string,
  { size, clients }: Load,
  value: number,
  samples: Samples,
): Row {
  const [ours, theirs] = samples;
  return {
    name,
    measured: clients === 1
      ? comparison(samples, (speed) => speed * size / 1e9, "GB/s")
      : comparison(samples, (speed) => speed, "requests/s"),
    figure: ratios(ours, theirs),
    reach: { bound: "at least", value },
    unit: "× nginx",
  };
}

function besideRow(
  name: string,
  samples: Samples,
  index: 2 | 3,
  other: string,
  value: number,
): Row {
  const [ours, theirs] = [samples[0], samples[index]];
  return {
    name,
    measured: `${short(median(ours))} against ${short(median(theirs))} requests/s`,
    figure: ratios(ours, theirs),
    reach: { bound: "at least", value },
    unit: `× ${other}`,
  };
}

function costRow(one: Load, costs: Samples): Row {
  const [ours, theirs] = costs;
  return {
    name: costName(one),
    measured: comparison(costs, (cost) => cost, "s/GB"),
    figure: ratios(ours, theirs),
    reach: { bound: "at most", value: 2 },
    unit: "× nginx",
  };
}

/** The result of a load. */
interface Outcome {
  readonly requests: number;
  readonly perSecond: number;
}

function put(bench: Bench, one: Load, candidate: Program, tls: boolean): Promise<Outcome> {
  const address = `${tls ? "https" : "http"}://127.0.0.1:${candidate.port}/${one.file}`;
  return one.clients === 1 ? download(address, one.size) : manyRequests(bench, one, address);
}

/** Downloads the big file several times, with our own client, because no other is fast enough. */
async function download(address: string, size: number): Promise<Outcome> {
  const script = fileURLToPath(import.meta.resolve("../download.ts"));
  const flags = ["run", "--quiet", "--no-check", "-A", "--unsafely-ignore-certificate-errors"];
  const words = [Deno.execPath(), ...flags, script, address, String(DOWNLOADS)];
  const printed = await load(words);
  const [bytes, seconds = NaN] = printed.split(" ").map(Number);
  if (bytes !== DOWNLOADS * size) throw new Error(`${address} gave ${printed}`);
  return { requests: DOWNLOADS, perSecond: DOWNLOADS / seconds };
}

async function manyRequests(
  { quick }: Bench,
  { clients }: Load,
  address: string,
): Promise<Outcome> {
  const printed = await load(["wrk", "-t1", `-c${clients}`, quick ? "-d1" : "-d2", address]);
  if (/Non-2xx|Socket errors/.test(printed)) throw new Error(printed);
  return {
    requests: Number(/(\d+) requests in/.exec(printed)?.[1] ?? NaN),
    perSecond: Number(/Requests\/sec:\s*([\d.]+)/.exec(printed)?.[1] ?? NaN),
  };
}
