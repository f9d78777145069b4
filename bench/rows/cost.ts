/** Measures what a server costs when it is idle, when it starts, and under high load. */

import { Buffer } from "node:buffer";
import {
  commandOf,
  startBareServer,
  startNginx,
  startPacserve,
  startQuickserve,
  writeRandomFile,
} from "../candidates.ts";
import { namesOf, writeDatabase } from "./relaying.ts";
import { requestInside, startShippedPacserve } from "../shipped.ts";
import { Client } from "../client.ts";
import { packageName } from "../lan.ts";
import { load, type Program } from "../program.ts";
import { type Bench, type Measurement, type Row, short } from "../row.ts";
import { median, ratios, summarize } from "../statistics.ts";

const LARGE = "a directory of 100,000 files";
const MEMORY = "idle: resident memory";
const MEMORY_READ = "— after the databases were read";
const WAKE_UPS = "idle: wake-ups";
const START = "start to listening";
const PARALLEL = "64 downloads of 50 MB: memory";

/** How many files are requested: a part of the large directory, and all files of the small one. */
const ASKED = 1_000;

/** How many idle servers are measured at the same time. */
const IDLE_SERVERS = 3;

/** As many packages as core and extra describe together. */
const DESCRIBED = 15_000;

/** The measurements of this file. */
export const cost: readonly Measurement[] = [
  { names: [LARGE], measure: async (bench) => [await largeDirectory(bench)] },
  { names: [MEMORY, MEMORY_READ, WAKE_UPS], measure: idle },
  { names: [START], measure: async (bench) => [await start(bench)] },
  { names: [PARALLEL], measure: async (bench) => [await parallel(bench)] },
];

/** Requests per second for 1,000 files among 100,000, compared to a directory with only those files. */
async function largeDirectory(bench: Bench): Promise<Row> {
  const [large, small] = [`${bench.scratch}/large`, `${bench.scratch}/few`];
  const step = 100_000 / ASKED;
  for (const [directory, every] of [[large, 1], [small, step]] as const) {
    await Deno.mkdir(directory);
    for (let file = 0; file < 100_000; file += every) {
      Deno.writeTextFileSync(`${directory}/${file}`, "x");
    }
  }
  const script = `${bench.scratch}/names.lua`;
  await Deno.writeTextFile(
    script,
    `local file = 0
    request = function()
      file = (file + ${step}) % 100000
      return wrk.format("GET", "/" .. file)
    end`,
  );
  await using many = await startQuickserve(bench, large);
  await using few = await startQuickserve(bench, small);
  const samples: [number[], number[]] = [[], []];
  for (let round = -1; round < bench.rounds; round++) {
    for (const [index, { port }] of [many, few].entries()) {
      const words = ["-t1", "-c16", bench.quick ? "-d1" : "-d2", "-s", script];
      const printed = await load(["wrk", ...words, `http://127.0.0.1:${port}/`]);
      if (/Non-2xx|Socket errors/.test(printed)) throw new Error(printed);
      const figure = Number(/Requests\/sec:\s*([\d.]+)/.exec(printed)?.[1] ?? NaN);
      if (round >= 0) samples[index]?.push(figure);
    }
  }
  await Deno.remove(large, { recursive: true });
  return {
    name: LARGE,
    measured: `${short(median(samples[0]))} against ${short(median(samples[1]))} requests/s`,
    figure: ratios(...samples),
    reach: { bound: "at least", value: 0.9 },
    unit: `× ${short(ASKED)} files`,
  };
}

/** Memory and wake-ups of servers in their shipped form that are idle after one request. */
async function idle(bench: Bench): Promise<Row[]> {
  const seconds = bench.quick ? 20 : 60;
  const cache = await Deno.makeTempDir({ dir: bench.scratch, prefix: "cache-" });
  const name = packageName(0, 0);
  await writeRandomFile(`${cache}/${name}`, 100_000);
  await using stack = new AsyncDisposableStack();
  const servers: Program[] = [];
  {
    await using _first = await startShippedPacserve(bench, cache);
  }
  for (let count = 0; count < IDLE_SERVERS; count++) {
    const server = stack.use(await startShippedPacserve(bench, cache));
    await requestInside(server, `/pacman/core/x86_64/${name}`);
    servers.push(server);
  }
  const databases = await writeDatabase(bench, `${cache}/${name}`, namesOf(DESCRIBED));
  const readers: Program[] = [];
  for (let count = 0; count < IDLE_SERVERS; count++) {
    const server = stack.use(await startShippedPacserve(bench, cache, databases));
    // The databases are read at the first request for a package.
    await requestInside(server, `/pacman/core/x86_64/${name}`);
    readers.push(server);
  }
  // Wait until V8 is idle: before that it collects garbage a few more times, every eight seconds.
  await new Promise((resolve) => setTimeout(resolve, bench.quick ? 40_000 : 60_000));
  const memory = await Promise.all(servers.map(async (server) => (await server.resident()).now));
  const afterReading = await Promise.all(
    readers.map(async (server) => (await server.resident()).now),
  );
  const floor = await bareMemory(bench, cache);
  const before = await Promise.all(servers.map((server) => server.wakeUps()));
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const after = await Promise.all(servers.map((server) => server.wakeUps()));
  const wakeUps = after.map((counts, index) => {
    const earlier = before[index] ?? new Map<string, number>();
    let sum = 0;
    // Count one wake-up for each thread that has ended.
    for (const task of earlier.keys()) sum += counts.has(task) ? 0 : 1;
    for (const [task, count] of counts) sum += count - (earlier.get(task) ?? 0);
    return sum;
  });
  return [
    {
      name: MEMORY,
      measured: `all of VmRSS, with Deno's cache (bare Deno ${short(floor)} MB)`,
      figure: summarize(memory),
      reach: { bound: "at most", value: 60 },
      unit: "MB",
    },
    {
      name: MEMORY_READ,
      measured: `${short(DESCRIBED)} packages: ${short(median(afterReading))} against ${
        short(median(memory))
      } MB`,
      figure: summarize(afterReading.map((one, index) => one - (memory[index] ?? NaN))),
      reach: { bound: "at most", value: 35 },
      unit: "MB more",
    },
    {
      name: WAKE_UPS,
      measured: `with --multicast --mdns: ${
        wakeUps.join(", ")
      } of all threads in ${seconds} seconds`,
      figure: summarize(wakeUps.map((count) => count / (seconds / 10))),
      reach: { bound: "less than", value: 1 },
      unit: "in 10 s",
    },
  ];
}

/** Memory of a main thread and a worker that only listen, in megabytes. */
async function bareMemory(bench: Bench, directory: string): Promise<number> {
  await using bare = await startBareServer(bench, directory);
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  return (await bare.resident()).now;
}

/** Time from the start of the program to the first accepted connection, in milliseconds. */
async function start(bench: Bench): Promise<Row> {
  const cache = await Deno.makeTempDir({ dir: bench.scratch, prefix: "cache-" });
  await commandOf("pacserve", bench);
  const samples: [number[], number[]] = [[], []];
  for (let round = -1; round < bench.rounds; round++) {
    const starts = [
      (): Promise<Program> => startPacserve(bench, { cache }),
      (): Promise<Program> => startQuickserve(bench, cache),
    ];
    for (const [index, startOne] of starts.entries()) {
      const before = performance.now();
      await using _program = await startOne();
      if (round >= 0) samples[index]?.push(performance.now() - before);
    }
  }
  return {
    name: START,
    measured: `pacserve; quickserve ${short(median(samples[1]))} ms`,
    figure: summarize(samples[0]),
    reach: { bound: "at most", value: 150 },
    unit: "ms",
  };
}

async function parallel(bench: Bench): Promise<Row> {
  const size = 50_000_000;
  const files = await Deno.makeTempDir({ dir: bench.scratch, prefix: "files-" });
  await writeRandomFile(`${files}/file`, size);
  const expected = await Deno.readFile(`${files}/file`);
  const seconds: [number[], number[]] = [[], []];
  const peaks: number[] = [];
  for (let round = 0; round < (bench.quick ? 1 : 3); round++) {
    await using quickserve = await startQuickserve(bench, files);
    await using nginx = await startNginx(bench, files);
    for (const [index, { port }] of [quickserve, nginx].entries()) {
      const before = performance.now();
      await Promise.all(Array.from({ length: 64 }, () => downloadAndCompare(port, expected)));
      seconds[index]?.push((performance.now() - before) / 1000);
    }
    peaks.push((await quickserve.resident()).peak);
  }
  const [ours, theirs] = seconds.map((one) => short(median(one)));
  return {
    name: PARALLEL,
    measured: `every one correct; ${ours} s, nginx ${theirs} s`,
    figure: summarize(peaks),
    reach: { bound: "at most", value: 200 },
    unit: "MB at the peak",
  };
}

async function downloadAndCompare(port: number, expected: Uint8Array): Promise<void> {
  using client = await Client.connect(port);
  let offset = 0;
  const { status, length } = await client.request("GET", "/file", (piece) => {
    const wanted = expected.subarray(offset, offset + piece.length);
    if (Buffer.compare(piece, wanted) !== 0) throw new Error(`wrong bytes after ${offset}`);
    offset += piece.length;
  });
  if (status !== 200 || length !== expected.length) throw new Error(`${status}, ${length} bytes`);
}
