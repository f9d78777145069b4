/** What a server costs that does little, starts, or does very much. */

import { Buffer } from "node:buffer";
import {
  commandOf,
  startBareServer,
  startNginx,
  startPacserve,
  startQuickserve,
  writeRandomFile,
} from "../candidates.ts";
import { Client } from "../client.ts";
import { packageName } from "../lan.ts";
import { load, type Program } from "../program.ts";
import { type Bench, type Group, type Row, short } from "../row.ts";
import { median, ratios, summarize } from "../statistics.ts";

const LARGE = "a directory of 100,000 files";
const MEMORY = "idle: resident memory";
const WAKE_UPS = "idle: wake-ups";
const START = "start to listening";
const PARALLEL = "64 downloads of 50 MB: memory";

const NAMES = [LARGE, MEMORY, WAKE_UPS, START, PARALLEL] as const;

/** All of them. */
export const cost: Group = {
  names: NAMES,
  measure: async (bench) => [
    ...bench.isWanted(LARGE) ? [await largeDirectory(bench)] : [],
    ...bench.isWanted(MEMORY) || bench.isWanted(WAKE_UPS) ? await idle(bench) : [],
    ...bench.isWanted(START) ? [await start(bench)] : [],
    ...bench.isWanted(PARALLEL) ? [await parallel(bench)] : [],
  ],
};

/** Requests a second for one file among 100,000, against the same among ten. */
async function largeDirectory(bench: Bench): Promise<Row> {
  bench.say(`${LARGE} …`);
  const [large, small] = [`${bench.scratch}/large`, `${bench.scratch}/few`];
  for (const [directory, count] of [[large, 100_000], [small, 10]] as const) {
    await Deno.mkdir(directory);
    for (let file = 0; file < count; file++) Deno.writeTextFileSync(`${directory}/${file}`, "x");
  }
  await using many = await startQuickserve(bench, large);
  await using few = await startQuickserve(bench, small);
  const samples: [number[], number[]] = [[], []];
  for (let round = -1; round < bench.rounds; round++) {
    for (const [index, { port }] of [many, few].entries()) {
      const url = `http://127.0.0.1:${port}/7`;
      const printed = await load(["wrk", "-t1", "-c16", bench.quick ? "-d1" : "-d2", url]);
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
    unit: "× 10 files",
  };
}

/** A pacserve that has been asked for one package, and then for nothing more. */
async function idle(bench: Bench): Promise<Row[]> {
  const seconds = bench.quick ? 20 : 60;
  bench.say(`idle, for ${seconds} seconds …`);
  const cache = await Deno.makeTempDir({ dir: bench.scratch, prefix: "cache-" });
  const name = packageName(0, 0);
  await writeRandomFile(`${cache}/${name}`, 100_000);
  await using pacserve = await startPacserve(bench, { cache });
  {
    using client = await Client.connect(pacserve.port);
    await client.request("GET", `/pacman/core/x86_64/${name}`);
  }
  // V8 collects garbage a few times more, eight seconds apart, before it comes to rest.
  await new Promise((resolve) => setTimeout(resolve, bench.quick ? 40_000 : 60_000));
  const { now } = await pacserve.resident();
  const floor = await bareMemory(bench, cache);
  const before = await pacserve.wakeUps();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const after = await pacserve.wakeUps();
  let wakeUps = 0;
  // Threads that ended meanwhile were woken up once, to end.
  for (const task of before.keys()) wakeUps += after.has(task) ? 0 : 1;
  for (const [task, count] of after) wakeUps += count - (before.get(task) ?? 0);
  return [
    {
      name: MEMORY,
      measured: `all of VmRSS, one request after the start (bare Deno ${short(floor)} MB)`,
      figure: summarize([now]),
      reach: { bound: "at most", value: 60 },
      unit: "MB",
    },
    {
      name: WAKE_UPS,
      measured: `${wakeUps} of all threads in ${seconds} seconds`,
      figure: summarize([wakeUps / (seconds / 10)]),
      reach: { bound: "at most", value: 1 },
      unit: "in 10 s",
    },
  ];
}

/** Megabytes of a main thread and a worker that do nothing but listen. */
async function bareMemory(bench: Bench, directory: string): Promise<number> {
  await using bare = await startBareServer(bench, directory);
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  return (await bare.resident()).now;
}

/** Milliseconds from the start of the program to the first connection that it accepts. */
async function start(bench: Bench): Promise<Row> {
  bench.say(`${START} …`);
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
  bench.say(`${PARALLEL} …`);
  const size = 50_000_000;
  const files = await Deno.makeTempDir({ dir: bench.scratch, prefix: "files-" });
  await writeRandomFile(`${files}/file`, size);
  const expected = await Deno.readFile(`${files}/file`);
  await using quickserve = await startQuickserve(bench, files);
  await using nginx = await startNginx(bench, files);
  const seconds: number[] = [];
  for (const { port } of [quickserve, nginx]) {
    const before = performance.now();
    await Promise.all(Array.from({ length: 64 }, () => downloadAndCompare(port, expected)));
    seconds.push((performance.now() - before) / 1000);
  }
  const { peak } = await quickserve.resident();
  return {
    name: PARALLEL,
    measured: `every one correct; ${short(seconds[0] ?? NaN)} s, nginx ${
      short(seconds[1] ?? NaN)
    } s`,
    figure: summarize([peak]),
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
