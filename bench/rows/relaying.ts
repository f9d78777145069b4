/** Measures relaying: packages of peers that pacserve passes on and verifies, compared to an nginx proxy. */

import { createHash } from "node:crypto";
import { startNginx, startNginxProxy, startPacserve, writeRandomFile } from "../candidates.ts";
import { Client } from "../client.ts";
import { load, type Program } from "../program.ts";
import { type Bench, type Measurement, type Row, short } from "../row.ts";
import { median, ratios, summarize } from "../statistics.ts";
import { fileURLToPath } from "node:url";

const BIG = "300 MB of a peer, relayed";
const BIG_SPEED = "the same, bytes a second";
const SMALL = "first byte of 200 KiB of a peer, relayed";
const PARALLEL = "64 relays of 50 MB at once";

/** The measurements of this file. */
export const relaying: readonly Measurement[] = [
  { names: [BIG, BIG_SPEED], measure: big },
  { names: [SMALL], measure: small },
  { names: [PARALLEL], measure: parallel },
];

const client = fileURLToPath(import.meta.resolve("../download.ts"));

/** A peer, and a pacserve that knows the peer, and the sizes and hashes of its packages. */
class Relaying implements AsyncDisposable {
  readonly peer: Program;
  readonly relay: Program;

  private constructor(peer: Program, relay: Program) {
    this.peer = peer;
    this.relay = relay;
  }

  /**
   * @param names of packages that all have the content of `file`.
   * @param mirror that has them, too; by default there is none.
   */
  static async start(
    bench: Bench,
    file: string,
    names: readonly string[],
    mirror?: string,
  ): Promise<Relaying> {
    const cache = await Deno.makeTempDir({ dir: bench.scratch, prefix: "peer-" });
    for (const name of names) await Deno.link(file, `${cache}/${name}`);
    const databases = await writeDatabase(bench, file, names);
    const peer = await startPacserve(bench, { cache });
    const own = await Deno.makeTempDir({ dir: bench.scratch, prefix: "own-" });
    const relay = await startPacserve(bench, {
      cache: own,
      databases,
      peers: [`http://127.0.0.1:${peer.port}/`],
      spool: await Deno.makeTempDir({ dir: bench.scratch, prefix: "spool-" }),
      ...mirror === undefined ? {} : { mirror },
    });
    // The databases are read at the first request.
    using asking = await Client.connect(relay.port);
    await asking.request("HEAD", addressOf(names[0]!));
    return new Relaying(peer, relay);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.relay[Symbol.asyncDispose]();
    await this.peer[Symbol.asyncDispose]();
  }
}

/** Returns the target of pacman's request for a package. */
export function addressOf(name: string): string {
  return `/pacman/core/x86_64/${name}`;
}

/** Names of so many packages. */
export function namesOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `package${index}-1-1-any.pkg.tar.zst`);
}

/** pacman's `sync/core.db`, which describes these packages; all have the content of `file`. */
export async function writeDatabase(
  bench: Bench,
  file: string,
  names: readonly string[],
): Promise<string> {
  const directory = await Deno.makeTempDir({ dir: bench.scratch, prefix: "db-" });
  const hash = createHash("sha256");
  using opened = await Deno.open(file);
  for await (const piece of opened.readable) hash.update(piece);
  const { size } = await Deno.stat(file);
  const sha256 = hash.digest("hex");
  await Deno.mkdir(`${directory}/sync`);
  for (const name of names) {
    const entry = `${directory}/tree/${name.split("-any")[0]}`;
    await Deno.mkdir(entry, { recursive: true });
    const description = `%FILENAME%\n${name}\n\n%CSIZE%\n${size}\n\n%SHA256SUM%\n${sha256}\n\n`;
    await Deno.writeTextFile(`${entry}/desc`, description);
  }
  const { success } = await new Deno.Command("bash", {
    args: ["-c", 'tar -czf "$1/sync/core.db" -C "$1/tree" $(ls "$1/tree")', "bash", directory],
  }).output();
  if (!success) throw new Error("the database could not be packed");
  return directory;
}

async function big(bench: Bench): Promise<Row[]> {
  const size = 300_000_000;
  const files = await Deno.makeTempDir({ dir: bench.scratch, prefix: "files-" });
  await writeRandomFile(`${files}/file`, size);
  const names = namesOf(bench.rounds + 1);
  await using relaying = await Relaying.start(bench, `${files}/file`, names);
  await using origin = await startNginx(bench, files);
  await using proxy = await startNginxProxy(bench, origin.port);
  const speeds: [number[], number[]] = [[], []];
  for (const [round, name] of names.entries()) {
    const addresses = [
      `http://127.0.0.1:${relaying.relay.port}${addressOf(name)}`,
      `http://127.0.0.1:${proxy.port}/file`,
    ];
    for (const [index, address] of addresses.entries()) {
      const output = await load([Deno.execPath(), "run", "-A", "--no-check", client, address, "1"]);
      const [bytes, seconds] = output.split(" ").map(Number);
      if (bytes !== size) throw new Error(`${bytes} bytes came from ${address}`);
      // The first round only warms both servers up.
      if (round > 0) speeds[index]?.push(size / seconds! / 1e9);
    }
  }
  const [ours, theirs] = speeds.map((one) => short(median(one)));
  const measured = `${ours} against ${theirs} GB/s through nginx`;
  return [
    {
      name: BIG,
      measured,
      figure: ratios(speeds[0], speeds[1]),
      reach: { bound: "at least", value: 0.5 },
      unit: "× nginx as a proxy",
    },
    {
      name: BIG_SPEED,
      measured,
      figure: summarize(speeds[0]),
      reach: { bound: "at least", value: 0.2 },
      unit: "GB/s",
    },
  ];
}

/** Compares the first byte of a relayed package with the first byte from the peer itself. */
async function small(bench: Bench): Promise<Row[]> {
  const files = await Deno.makeTempDir({ dir: bench.scratch, prefix: "files-" });
  await writeRandomFile(`${files}/file`, 200 * 1024);
  const count = bench.quick ? 20 : 100;
  const names = namesOf(count + 1);
  await using relaying = await Relaying.start(bench, `${files}/file`, names);
  using relay = await Client.connect(relaying.relay.port);
  using peer = await Client.connect(relaying.peer.port);
  const relayed: number[] = [];
  const direct: number[] = [];
  for (const [index, name] of names.entries()) {
    const { status, firstByte } = await relay.request("GET", addressOf(name));
    if (status !== 200) throw new Error(`${name} is answered with ${status}`);
    const from = await peer.request("GET", `/pkg/${name}`);
    if (index === 0) continue;
    relayed.push(firstByte);
    direct.push(from.firstByte);
  }
  const difference = relayed.map((one, index) => one - (direct[index] ?? NaN));
  return [{
    name: SMALL,
    measured: `${short(median(relayed))} ms, from the peer itself ${short(median(direct))} ms`,
    figure: summarize(difference),
    reach: { bound: "at most", value: 10 },
    unit: "ms more",
  }];
}

async function parallel(bench: Bench): Promise<Row[]> {
  const size = 50_000_000;
  const files = await Deno.makeTempDir({ dir: bench.scratch, prefix: "files-" });
  await writeRandomFile(`${files}/file`, size);
  const names = namesOf(64);
  await Deno.mkdir(`${files}/core`);
  for (const name of names) await Deno.link(`${files}/file`, `${files}/core/${name}`);
  // A processor that does all this at once may answer too late when it is asked for the last of them.
  await using mirror = await startNginx(bench, files);
  const origin = `http://127.0.0.1:${mirror.port}`;
  await using relaying = await Relaying.start(bench, `${files}/file`, names, origin);
  const before = performance.now();
  await Promise.all(names.map(async (name) => {
    using client = await Client.connect(relaying.relay.port);
    const { status, length } = await client.request("GET", addressOf(name));
    if (status !== 200 || length !== size) throw new Error(`${name}: ${status}, ${length} bytes`);
  }));
  const seconds = short((performance.now() - before) / 1000);
  const { peak } = await relaying.relay.resident();
  return [{
    name: PARALLEL,
    measured: `3.2 GB in ${seconds} s`,
    figure: summarize([peak]),
    reach: { bound: "at most", value: 250 },
    unit: "MB at the peak",
  }];
}
