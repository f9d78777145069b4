/** How long an upgrade takes whose packages a peer has, compared to plain pacman. Needs root. */

import type { ArchMachine } from "../../tests/lan/arch.ts";
import { cache } from "../../tests/lan/arch.ts";
import { Scene } from "../../tests/lan/scene.ts";
import { makeLargeRepository } from "../../tests/once/repository.ts";
import { type Bench, type Measurement, type Row, short } from "../row.ts";
import { median, ratios } from "../statistics.ts";

const NAME = "an upgrade of 30 packages that a peer has";

/** Rows of this file. */
export const upgrading: readonly Measurement[] = [
  { names: [NAME], measure: async (bench) => [await measure(bench)] },
];

/** The packages of an upgrade, and their KiB: most are small, and few have most of the bytes. */
const CONTENTS: Readonly<Record<string, number>> = Object.fromEntries(
  Array.from({ length: 30 }, (_, index) => {
    if (index < 3) return [`large${index}`, 40_000];
    return index < 12 ? [`medium${index}`, 7_000] : [`small${index}`, 1_000];
  }),
);
const NAMES = Object.keys(CONTENTS);

/** The queue of an interface with the speed of a usual LAN. */
const GIGABIT = ["root", "tbf", "rate", "1gbit", "burst", "256kb", "latency", "50ms"];

/** Two machines on one LAN, each with another way to the packages. */
async function measure(bench: Bench): Promise<Row> {
  const directory = await Deno.makeTempDir({ dir: bench.scratch, prefix: "repository-" });
  await Deno.chmod(bench.scratch, 0o755);
  const repository = await makeLargeRepository(directory, CONTENTS, NAMES);
  await using scene = await Scene.create("today", repository);
  const [plain, ours, peer] = [
    await scene.machine("plain"),
    await scene.machine("ours"),
    await scene.machine("peer"),
  ];
  for (const { host } of [plain, ours, peer]) {
    // The repository has only the section core.
    await host.must(["sed", "-i", String.raw`/^\[extra\]/,$d`, "/etc/pacman.conf"]);
  }
  await peer.cachePackages(NAMES.map((name) => repository.package(name)), { signatures: false });
  for (const host of [scene.mirror.host, peer.host]) {
    await host.must(["tc", "qdisc", "add", "dev", "eth0", ...GIGABIT]);
  }
  const neighbour = await scene.pacserve(peer);
  const samples: [number[], number[]] = [[], []];
  for (let round = -1; round < bench.rounds; round++) {
    // A server that is started has no packages of the round before, which it would keep for half an hour.
    await using server = await scene.pacserve(ours);
    await scene.meet(server, neighbour);
    const taken = [await timeOf(ours, "pacsrv"), await timeOf(plain, "pacman")];
    if (round < 0) continue;
    for (const [index, time] of taken.entries()) samples[index]?.push(time);
  }
  const fetched = await scene.fromMirror(ours);
  const packages = fetched.filter((file) => !file.endsWith(".sig"));
  if (packages.length > 0) throw new Error(`from the mirror: ${packages.join(", ")}`);
  const [one, other] = samples.map((each) => short(median(each)));
  return {
    name: NAME,
    measured: `${one} against ${other} s with plain pacman from nginx on the same LAN of 1 Gbit/s`,
    figure: ratios(...samples),
    reach: { bound: "at most", value: 1.15 },
    unit: "× plain pacman",
  };
}

/** Seconds that the installation of all packages takes. Afterwards they are removed again. */
async function timeOf(machine: ArchMachine, program: string): Promise<number> {
  const begin = performance.now();
  const { code, stdout, stderr } = await machine.pacman(["-Sy", ...NAMES], [program]);
  const seconds = (performance.now() - begin) / 1000;
  if (code !== 0) throw new Error(`${program}: ${stdout}${stderr}`);
  await machine.pacman(["-R", ...NAMES]);
  await machine.host.must(["bash", "-c", `rm -f ${cache}/*`]);
  return seconds;
}
