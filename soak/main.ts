/** `deno task soak`: everything at once, for minutes. The last line is `N passed, N failed`. */

import { readArguments } from "../scripts/arguments.ts";
import { messageOf } from "../src/failure.ts";
import { runClients, Tally } from "./clients.ts";
import { type Descriptors, descriptorsOf, memoryOf } from "./process_state.ts";
import { Scene } from "./scene.ts";

const USAGE = `usage: deno task soak [--minutes <number>]

Runs a pacserve under clients, uploads and visitors, while its peer and its workers die and what it
shares changes, all at once and on loopback, for 2 minutes unless told otherwise. At the end every
completed transfer must have been right, and the server must hold no more than at the beginning.`;

const MEGABYTE = 1024 * 1024;

/** Connections to peers and mirrors that are kept for the next question. */
const KEPT_SOCKETS = 12;

/** Aborted when the soak is interrupted: it then ends as it would have later. */
const interrupted = new AbortController();

/** What is done to the server, and how often, in milliseconds. */
function disturbances(scene: Scene): readonly (readonly [number, () => void | Promise<void>])[] {
  return [
    [2_000, () => scene.changeList()],
    [3_100, () => scene.server.program.signal("SIGUSR2")],
    [4_300, () => scene.restartPeer()],
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
  readonly tally: Tally;
  readonly before: Descriptors;
  readonly after: Descriptors;
  /** Resident bytes, twice a second. */
  readonly memory: readonly number[];
  readonly deaths: number;
  readonly peerDeaths: number;
}

async function soak(minutes: number): Promise<Measurements> {
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
      ...disturbances(scene).map(([pause, action]) => repeat(pause, action, signal)),
    ]);
  });
  // The last worker may have died a moment ago.
  await during(2_000, (signal) => runClients(scene, tally, signal));
  const after = await settled(pid, before);
  const deaths = scene.server.program.lines.filter((line) => line.includes("the worker died"));
  return { tally, before, after, memory, deaths: deaths.length, peerDeaths: scene.peerDeaths };
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
  return after.others > before.others || after.files.length > before.files.length ||
    after.sockets > before.sockets + KEPT_SOCKETS;
}

/** True when the last third needed hardly more than the one before it. */
function stoppedGrowing(memory: readonly number[]): boolean {
  const third = Math.floor(memory.length / 3);
  const [middle, last] = [medianOf(memory.slice(third, -third)), medianOf(memory.slice(-third))];
  return last < middle * 1.15 + 16 * MEGABYTE;
}

function medianOf(numbers: readonly number[]): number {
  return [...numbers].sort((one, other) => one - other)[numbers.length >> 1] ?? 0;
}

function report(measured: Measurements): number {
  const { tally, before, after, memory, deaths, peerDeaths } = measured;
  const text = ({ files, sockets, others }: Descriptors): string =>
    `${files.length} files, ${sockets} sockets, ${others} others`;
  const megabytes = (bytes: number): string => `${Math.round(bytes / MEGABYTE)} MB`;
  const tenths = Array.from(
    { length: 10 },
    (_, index) => megabytes(memory[Math.floor(memory.length * index / 10)] ?? 0),
  );
  const checks: readonly (readonly [string, boolean])[] = [
    [`every completed transfer was right (${tally.completed})`, tally.wrong.length === 0],
    ["transfers were completed", tally.completed > 100],
    [`workers died and were replaced (${deaths})`, deaths > 0 && peerDeaths > 0],
    [
      `no descriptor is leaked: ${text(before)} before, ${text(after)} after`,
      !leaked(before, after),
    ],
    [`memory stopped growing: ${tenths.join(", ")}`, stoppedGrowing(memory)],
  ];
  for (const problem of tally.wrong.slice(0, 20)) console.log(`  ${problem}`);
  console.log(`  ${tally.broken} transfers broke off, the peer died ${peerDeaths} times`);
  for (const [text, good] of checks) console.log(`${good ? "ok    " : "FAILED"}  ${text}`);
  const failed = checks.filter(([, good]) => !good).length;
  console.log(`${checks.length - failed} passed, ${failed} failed`);
  return failed;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => interrupted.abort());
}
try {
  const { values } = readArguments(USAGE, {
    options: { minutes: { type: "string", default: "2" } },
  });
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error("--minutes takes a number above 0");
  Deno.exit(report(await soak(minutes)) === 0 ? 0 : 1);
} catch (error) {
  console.error(messageOf(error));
  Deno.exit(2);
}
