/** Measures how long it takes until a package begins to arrive, and how many messages finding it takes. */

import { Failure } from "../../src/failure.ts";
import { startBareServer, startNginx, startPacserve, writeRandomFile } from "../candidates.ts";
import { Client } from "../client.ts";
import { Lan, packageName } from "../lan.ts";
import type { Program } from "../program.ts";
import { type Bench, type Measurement, type Row, short } from "../row.ts";
import { median, ratios, summarize, type Summary } from "../statistics.ts";

const LOCAL = "first byte of a local package";
const REMOTE = "a package that one of 64 peers has";
const DEAD = "the same, 32 of the 64 dead";
const MESSAGES = "messages: 300 packages, 64 peers";
const ORIGINALS = "the same, 64 servers of the original";

const PEERS = 64;
const PACKAGES = 300;

/** One question for each package plus two for each peer: the sum, not the product. */
const MESSAGES_BOUND = PACKAGES + 2 * PEERS;

/** How many packages pacman downloads at the same time (`ParallelDownloads`). */
const AT_A_TIME = 5;

/** Servers without an index must be asked: two messages to each for packages requested together. */
const ORIGINALS_BOUND = 2 * PACKAGES * PEERS / AT_A_TIME + PACKAGES;

/** The measurements of this file. */
export const finding: readonly Measurement[] = [
  { names: [LOCAL], measure: async (bench) => [await localPackage(bench)] },
  { names: [REMOTE, DEAD], measure: remotePackages },
  {
    names: [MESSAGES],
    measure: async (bench) => [await messages(bench, MESSAGES, "ours", MESSAGES_BOUND)],
  },
  {
    names: [ORIGINALS],
    measure: async (bench) => [await messages(bench, ORIGINALS, "original", ORIGINALS_BOUND)],
  },
];

function repetitions({ quick }: Bench): number {
  return quick ? 100 : 400;
}

async function localPackage(bench: Bench): Promise<Row> {
  const cache = await Deno.makeTempDir({ dir: bench.scratch, prefix: "cache-" });
  const name = packageName(0, 0);
  await writeRandomFile(`${cache}/${name}`, 5_000_000);
  await using pacserve = await startPacserve(bench, { cache });
  await using nginx = await startNginx(bench, cache);
  await using bareServer = await startBareServer(bench, cache);
  using ours = await Client.connect(pacserve.port);
  using theirs = await Client.connect(nginx.port);
  using bare = await Client.connect(bareServer.port);
  const samples: [number[], number[]] = [[], []];
  const floor: number[] = [];
  for (let count = -20; count < repetitions(bench); count++) {
    const one = await ours.request("GET", `/pacman/core/x86_64/${name}`);
    const other = await theirs.request("GET", `/${name}`);
    const least = await bare.request("GET", `/${name}`);
    if (one.length !== 5_000_000 || other.length !== one.length) throw new Error(one.head);
    if (count < 0) continue;
    floor.push(least.firstByte);
    samples[0].push(one.firstByte);
    samples[1].push(other.firstByte);
  }
  return {
    name: LOCAL,
    measured: `${short(median(samples[0]))} against ${short(median(samples[1]))} ms (bare Deno ${
      short(median(floor))
    })`,
    figure: ratios(...batches(samples)),
    reach: { bound: "at most", value: 1.5 },
    unit: "× nginx",
  };
}

/** The medians of ten parts of the samples, because the spread of single requests says little. */
function batches([ours, theirs]: [number[], number[]]): [number[], number[]] {
  const parts = (samples: number[]): number[] => {
    const size = Math.ceil(samples.length / 10);
    return Array.from(
      { length: 10 },
      (_, part) => median(samples.slice(part * size, (part + 1) * size)),
    );
  };
  return [parts(ours), parts(theirs)];
}

async function remotePackages(bench: Bench): Promise<Row[]> {
  const cache = await Deno.makeTempDir({ dir: bench.scratch, prefix: "empty-" });
  await using living = await Lan.start(PEERS);
  await using half = await Lan.start(PEERS / 2);
  await using refusing = await Lan.start(PEERS / 4, "ours", PEERS / 2);
  await using silent = await Lan.start(PEERS / 4, "ours", 3 * PEERS / 4);
  await using one = await startPacserve(bench, { cache, peers: living.bases });
  await using other = await startPacserve(bench, {
    cache,
    peers: [...half.bases, ...refusing.bases, ...silent.bases],
  });
  await knowsPeers(one, PEERS);
  await knowsPeers(other, PEERS);
  await refusing.kill();
  silent.freeze();
  using asking = await Client.connect(one.port);
  using askingHalf = await Client.connect(other.port);
  const direct = new Map<string, Client>();
  const [all, trips, some]: [number[], number[], number[]] = [[], [], []];
  try {
    for (let count = -20; count < repetitions(bench); count++) {
      const peer = (count + 20) % (PEERS / 2);
      const index = (count + 20) % 100;
      const base = living.bases[peer] ?? "";
      const name = packageName(peer, index);
      const client = direct.get(base) ?? await Client.connect(Number(new URL(base).port));
      direct.set(base, client);
      const trip = await client.request("HEAD", `/pkg/${name}`);
      // Alternate the order, because the second one profits from the processor's cache.
      const both: [Client, number[]][] = [[asking, all], [askingHalf, some]];
      for (const [client, samples] of count % 2 === 0 ? both : both.reverse()) {
        const time = await found(client, name);
        if (count >= 0) samples.push(time);
      }
      if (count >= 0) trips.push(trip.firstByte);
    }
  } finally {
    for (const client of direct.values()) client[Symbol.dispose]();
  }
  const over = all.map((time, index) => time - 2 * (trips[index] ?? NaN));
  return [
    {
      name: REMOTE,
      measured: `${short(median(all))} ms; one round trip ${short(median(trips))} ms`,
      figure: quartiles(over),
      reach: { bound: "at most", value: 3 },
      unit: "ms over 2 trips",
    },
    {
      name: DEAD,
      measured: `${short(median(some))} against ${short(median(all))} ms`,
      figure: ratios(...batches([some, all])),
      reach: { bound: "at most", value: 1.1 },
      unit: "× all alive",
    },
  ];
}

/** Requests many packages, as many at a time as pacman does, and counts the messages to the peers. */
async function messages(
  bench: Bench,
  name: string,
  kind: "ours" | "original",
  bound: number,
): Promise<Row> {
  const cache = await Deno.makeTempDir({ dir: bench.scratch, prefix: "empty-" });
  await using lan = await Lan.start(PEERS, kind);
  await using pacserve = await startPacserve(bench, { cache, peers: lan.bases });
  await knowsPeers(pacserve, PEERS);
  const samples: number[] = [];
  for (let round = 0; round < 3; round++) {
    await lan.messages();
    // Other packages each time: a second request for a package means that the copy was bad, and pacserve
    // then uses a mirror.
    const left = Array.from({ length: PACKAGES }, (_, index) => {
      return packageName(index % PEERS, 100 + 20 * round + Math.floor(index / PEERS));
    });
    await Promise.all(Array.from({ length: AT_A_TIME }, async () => {
      using client = await Client.connect(pacserve.port);
      for (let next = left.pop(); next !== undefined; next = left.pop()) await found(client, next);
    }));
    samples.push(await lan.messages());
  }
  return {
    name,
    measured: `${AT_A_TIME} at a time; packages × peers = ${short(PACKAGES * PEERS)}`,
    figure: summarize(samples),
    reach: { bound: "at most", value: bound },
    unit: "messages",
  };
}

/** Time until a package is found on a peer, in milliseconds. */
async function found(client: Client, name: string): Promise<number> {
  const { status, head, firstByte } = await client.request("GET", `/pacman/core/x86_64/${name}`);
  if (status !== 307 || !/^location: \S+\/pkg\//im.test(head)) {
    const answer = head.split("\r\n", 1)[0] ?? "";
    throw new Failure(
      `${name} was not found on a peer in time (${answer}): is the machine busy with other things?`,
    );
  }
  return firstByte;
}

/** Waits until a server has heard from its peers, and has their indexes. */
async function knowsPeers({ port }: Program, count: number): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (await heardFrom(port) < count) {
    if (performance.now() > deadline) throw new Error("the peers do not answer");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  // An index is fetched when its peer announces it; from outside we cannot see when that is done.
  await new Promise((resolve) => setTimeout(resolve, 2000));
}

async function heardFrom(port: number): Promise<number> {
  const page = await fetch(`http://127.0.0.1:${port}/?page=peers&mimetype=application/json`);
  const { peers } = await page.json() as { peers: { lastSeen: unknown }[] };
  return peers.filter(({ lastSeen }) => lastSeen !== null).length;
}

/** The median, with the middle half of the samples as the spread. */
function quartiles(samples: readonly number[]): Summary {
  const sorted = [...samples].sort((one, other) => one - other);
  const at = (part: number): number => sorted[Math.floor(part * (sorted.length - 1))] ?? NaN;
  return { median: at(0.5), least: at(0.25), greatest: at(0.75), samples: sorted.length };
}
