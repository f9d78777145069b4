/** Bytes and requests a second, plain and under TLS, and what they cost, against nginx. */

import {
  type CertificateFiles,
  certificateFiles,
  startBareServer,
  startNginx,
  startQuickserve,
  writeRandomFile,
} from "../candidates.ts";
import { load, type Program } from "../program.ts";
import { type Bench, type Group, type Row, short } from "../row.ts";
import { median, ratios } from "../statistics.ts";

const BIG = 300_000_000;

/** A file, how it is asked for, and what is to be reached: plain, and under TLS. */
interface Load {
  readonly name: string;
  readonly file: string;
  readonly size: number;
  readonly clients: number;
  readonly plain: number;
  readonly tls: number;
}

const LOADS: readonly Load[] = [
  { name: "300 MB, 1 client", file: "big", size: BIG, clients: 1, plain: 0.6, tls: 0.5 },
  {
    name: "200 KiB, 16 clients",
    file: "middle",
    size: 200 * 1024,
    clients: 16,
    plain: 0.45,
    tls: 0.5,
  },
  { name: "4 KiB, 16 clients", file: "small", size: 4 * 1024, clients: 16, plain: 0.3, tls: 0.5 },
];

/** What bytes cost is measured with files of these sizes and more. */
const COSTLY = 100_000;

/** What was measured of ours, of nginx, and of a bare server on Deno. */
type Samples = [number[], number[], number[]];

/** `31,000 against 60,000 requests/s (bare Deno 33,000)`. */
function comparison(samples: Samples, scale: (value: number) => number, unit: string): string {
  const [ours, theirs, bare] = samples.map((one) => short(scale(median(one))));
  return `${ours} against ${theirs} ${unit} (bare Deno ${bare})`;
}

function costName({ name }: Load): string {
  return `CPU seconds per GB: ${name}`;
}

/** All of them. */
export const serving: Group = {
  names: [
    ...LOADS.flatMap(({ name }) => [name, `${name}, TLS`]),
    ...LOADS.filter(({ size }) => size > COSTLY).map(costName),
  ],
  measure: async (bench) => {
    const files = `${bench.scratch}/files`;
    await Deno.mkdir(files);
    for (const { file, size } of LOADS) await writeRandomFile(`${files}/${file}`, size);
    const rows = await measureAll(bench, files, null);
    return [...rows, ...await measureAll(bench, files, await certificateFiles(bench))];
  },
};

async function measureAll(
  bench: Bench,
  files: string,
  tls: CertificateFiles | null,
): Promise<Row[]> {
  await using ours = await startQuickserve(bench, files, tls);
  await using theirs = await startNginx(bench, files, tls);
  await using bare = await startBareServer(bench, files, tls);
  const rows: Row[] = [];
  for (const one of LOADS) {
    const name = tls === null ? one.name : `${one.name}, TLS`;
    const withCost = tls === null && one.size > COSTLY && bench.isWanted(costName(one));
    if (!bench.isWanted(name) && !withCost) continue;
    bench.say(`${name} …`);
    const speeds: Samples = [[], [], []];
    const costs: Samples = [[], [], []];
    // The first round warms up: page cache, compiled code.
    for (let round = -1; round < bench.rounds; round++) {
      for (const [index, candidate] of [ours, theirs, bare].entries()) {
        const before = await candidate.cpuSeconds();
        const { requests, perSecond } = await put(bench, one, candidate, tls !== null);
        const seconds = await candidate.cpuSeconds() - before;
        if (round < 0) continue;
        speeds[index]?.push(perSecond);
        costs[index]?.push(seconds / (requests * one.size / 1e9));
      }
    }
    rows.push(speedRow(name, one, tls === null ? one.plain : one.tls, speeds));
    if (withCost) rows.push(costRow(one, costs));
  }
  return rows;
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

/** What a load came to. */
interface Outcome {
  readonly requests: number;
  readonly perSecond: number;
}

function put(bench: Bench, one: Load, candidate: Program, tls: boolean): Promise<Outcome> {
  const address = `${tls ? "https" : "http"}://127.0.0.1:${candidate.port}/${one.file}`;
  return one.clients === 1 ? download(address, one.size) : manyRequests(bench, one, address);
}

/** One download, by the library that pacman uses. */
async function download(address: string, size: number): Promise<Outcome> {
  const format = "%{http_code} %{size_download} %{speed_download}";
  const printed = await load(["curl", "-s", "-k", "-o", "/dev/null", "-w", format, address]);
  const [status, got, speed = NaN] = printed.split(" ").map(Number);
  if (status !== 200 || got !== size) throw new Error(`curl got ${printed}`);
  return { requests: 1, perSecond: speed / size };
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
