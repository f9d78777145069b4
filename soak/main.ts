/** `deno task soak`: everything at once, for minutes. The last line is `N passed, N failed`. */

import { readArguments } from "../scripts/arguments.ts";
import { messageOf } from "../src/failure.ts";
import { runClients, Tally } from "./clients.ts";
import { type Descriptors, descriptorsOf, memoryOf } from "./process_state.ts";
import { Scene } from "./scene.ts";

const USAGE = `usage: deno task soak [--minutes <number>] [--steady]

Runs a pacserve under clients, uploads and visitors, while its peer and its workers die and what it
shares changes, all at once and on loopback, for 2 minutes unless told otherwise. At the end every
completed transfer must have been right, and the server must hold no more than at the beginning.

With --steady only the peer dies, and the directory of spools is removed: one worker lives all the
time, so that its memory can be seen to grow or not. "--steady --minutes 60" gives the figures of
doc/performance.md, as lines of a table.`;

/** From so many minutes on, what is loaded once and kept is in memory before the last half begins. */
const LONG = 20;

/**
 * How much the memory may grow over the last half: bytes, and a part of what there is. A short run
 * still fills caches and lets V8's heap grow, so it shows large leaks only.
 */
const MARGINS = {
  long: { bytes: 4 * 1024 * 1024, part: 0.02 },
  short: { bytes: 48 * 1024 * 1024, part: 0.15 },
} as const;

const MEGABYTE = 1024 * 1024;

/** Connections to peers and mirrors that are kept for the next question. */
const KEPT_SOCKETS = 12;

/** Spools that the relay keeps for half an hour: at most one for each of the scene's packages. */
const KEPT_SPOOLS = 32;

/** Aborted when the soak is interrupted: it then ends as it would have later. */
const interrupted = new AbortController();

/** What is done to the server, and how often, in milliseconds. */
function disturbances(
  scene: Scene,
  steady: boolean,
): readonly (readonly [number, () => void | Promise<void>])[] {
  const always = [
    [4_300, () => scene.restartPeer()],
    // The next package or database that comes makes it again.
    [7_700, () => scene.removeSpools()],
  ] as const;
  return steady ? always : [
    ...always,
    [2_000, () => scene.changeList()],
    [3_100, () => scene.server.program.signal("SIGUSR2")],
    [5_900, () => scene.server.program.signal("SIGHUP")],
  ];
}

/** Does something again and again until `signal` is aborted. */
async function repeat(
  pause: number,
  action: () => void | Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  while (true) {
    await wait(pause, signal);
    if (signal.aborted) return;
    await action();
  }
}

function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, signal.aborted ? 0 : milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

/** What was measured. */
interface Measurements {
  readonly minutes: number;
  readonly steady: boolean;
  readonly tally: Tally;
  readonly before: Descriptors;
  readonly after: Descriptors;
  /** Resident bytes, twice a second. */
  readonly memory: readonly number[];
  readonly deaths: number;
  readonly peerDeaths: number;
}

async function soak(minutes: number, steady: boolean): Promise<Measurements> {
  await using scene = await Scene.build();
  const { pid } = scene.server.program;
  const tally = new Tally();
  // A moment of everything first: what is opened once and kept is no leak.
  await during(3_000, (signal) => runClients(scene, tally, signal));
  const before = await settled(pid, null);
  const memory: number[] = [];
  await during(minutes * 60_000, async (signal) => {
    await Promise.all([
      runClients(scene, tally, signal),
      repeat(500, async () => void memory.push(await memoryOf(pid)), signal),
      ...disturbances(scene, steady).map(([pause, action]) => repeat(pause, action, signal)),
    ]);
  });
  // The last worker may have died a moment ago.
  await during(2_000, (signal) => runClients(scene, tally, signal));
  const after = await settled(pid, before);
  const deaths = scene.server.program.lines.filter((line) => line.includes("the worker died"));
  const { peerDeaths } = scene;
  return { minutes, steady, tally, before, after, memory, deaths: deaths.length, peerDeaths };
}

async function during(
  milliseconds: number,
  action: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(), milliseconds);
  try {
    await action(AbortSignal.any([end.signal, interrupted.signal]));
  } finally {
    clearTimeout(timer);
    end.abort();
  }
}

/** The descriptors of an idle server: waits until they are as few as before, or a minute. */
async function settled(pid: number, before: Descriptors | null): Promise<Descriptors> {
  const end = performance.now() + (before === null ? 3_000 : 60_000);
  while (true) {
    const now = await descriptorsOf(pid);
    if (
      performance.now() > end || interrupted.signal.aborted ||
      (before !== null && !leaked(before, now))
    ) return now;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

function leaked(before: Descriptors, after: Descriptors): boolean {
  return after.others > before.others ||
    after.files.length > before.files.length + KEPT_SPOOLS ||
    after.sockets > before.sockets + KEPT_SOCKETS;
}

/** By how much memory grew over the last half, and by how much it may have. */
interface Growth {
  readonly bytes: number;
  readonly margin: number;
}

/** The middles of the last two quarters are a quarter of the time apart, and the last half is two. */
function growthOf({ memory, minutes }: Measurements): Growth {
  const quarter = Math.floor(memory.length / 4);
  const [third, last] = [
    medianOf(memory.slice(-2 * quarter, -quarter)),
    medianOf(memory.slice(-quarter)),
  ];
  const { bytes, part } = minutes < LONG ? MARGINS.short : MARGINS.long;
  return { bytes: 2 * (last - third), margin: Math.max(bytes, part * third) };
}

function medianOf(numbers: readonly number[]): number {
  return [...numbers].sort((one, other) => one - other)[numbers.length >> 1] ?? 0;
}

function report(measured: Measurements): number {
  const { minutes, steady, tally, before, after, memory, deaths, peerDeaths } = measured;
  const growth = growthOf(measured);
  const text = ({ files, sockets, others }: Descriptors): string =>
    `${files.length} files, ${sockets} sockets, ${others} others`;
  const megabytes = (bytes: number): string => `${Math.round(bytes / MEGABYTE)} MB`;
  const tenth = Math.floor(memory.length / 10);
  const tenths = Array.from(
    { length: 10 },
    (_, index) => megabytes(medianOf(memory.slice(index * tenth, (index + 1) * tenth))),
  );
  const grown = `${megabytes(growth.bytes)} of ${megabytes(growth.margin)}`;
  const checks: readonly (readonly [string, boolean])[] = [
    [`every completed transfer was right (${tally.completed})`, tally.wrong.length === 0],
    ["transfers were completed", tally.completed > 100],
    [
      steady ? `no worker died (${deaths})` : `workers died and were replaced (${deaths})`,
      steady ? deaths === 0 : deaths > 0 && peerDeaths > 0,
    ],
    [
      `no descriptor is leaked: ${text(before)} before, ${text(after)} after`,
      !leaked(before, after),
    ],
    [
      `memory is flat: grew over the last half by ${grown} that it may`,
      growth.bytes <= growth.margin,
    ],
  ];
  for (const problem of tally.wrong.slice(0, 20)) console.log(`  ${problem}`);
  console.log(`  ${tally.broken} transfers broke off, the peer died ${peerDeaths} times`);
  for (const [text, good] of checks) console.log(`${good ? "ok    " : "FAILED"}  ${text}`);
  const rows = [
    [
      `${minutes} minutes of mixed load: transfers`,
      `${tally.completed}, ${tally.wrong.length} wrong`,
    ],
    ["— memory of its own, median of each tenth", tenths.join(", ")],
    ["— growth over the last half, and what it may be", grown],
  ] as const;
  for (const [what, figure] of rows) console.log(`| ${what} | ${figure} |`);
  const failed = checks.filter(([, good]) => !good).length;
  console.log(`${checks.length - failed} passed, ${failed} failed`);
  return failed;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => interrupted.abort());
}
try {
  const { values } = readArguments(USAGE, {
    options: {
      minutes: { type: "string", default: "2" },
      steady: { type: "boolean", default: false },
    },
  });
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error("--minutes takes a number above 0");
  Deno.exit(report(await soak(minutes, values.steady)) === 0 ? 0 : 1);
} catch (error) {
  console.error(messageOf(error));
  Deno.exit(2);
}
