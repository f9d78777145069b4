/**
 * The play: two hosts, one mirror, and an upgrade on either host, one after the other. It is a program
 * that takes an empty directory for the repository; exit status 0 means that all went as it should.
 */

import { messageOf } from "../src/failure.ts";

import type { ArchMachine } from "../tests/lan/arch.ts";
import type { Package } from "../tests/lan/packages.ts";
import { recipes } from "../tests/lan/packages.ts";
import { makeRepository } from "../tests/lan/repository.ts";
import { pacsrv, Scene } from "../tests/lan/scene.ts";
import { size, step, table, tell } from "./words.ts";

/** What both hosts have installed. */
const common = ["glacier", "harbour", "kelp", "kelp-docs"];

/** What the second host has besides: the first cannot have it. */
const extra = "lantern";

/** What a package is, and where the second host got it. */
interface Arrival {
  readonly package: Package;
  readonly before: string;
  readonly source: "LAN" | "mirror";
  /** True when the first host had it. */
  readonly onLan: boolean;
}

/**
 * Plays and tells it.
 *
 * @param directory an empty directory for the repository.
 * @returns whether all went as it should.
 */
async function play(directory: string): Promise<boolean> {
  tell(
    "Two hosts and a mirror on one LAN: network namespaces on a bridge, nothing leaves this machine.",
  );
  step("Building and signing packages with makepkg, databases with repo-add …");
  const wanted = recipes.filter(({ names }) => [...common, extra].includes(names[0] ?? ""));
  const repository = await makeRepository(directory, wanted);

  await using scene = await Scene.create("yesterday", repository);
  const alder = await scene.machine("alder");
  const birch = await scene.machine("birch");
  await alder.installFromFiles("yesterday", common);
  await birch.installFromFiles("yesterday", [...common, extra]);
  table([
    [
      "mirror",
      scene.lan.addressOf(scene.mirror.host),
      "nginx with signed repositories core and extra",
    ],
    ["alder", scene.address(alder), `Arch with ${common.join(", ")}`],
    ["birch", scene.address(birch), `Arch with ${[...common, extra].join(", ")}`],
  ]);

  const { stdout: pacman } = await alder.pacman(["--version"]);
  tell(`  Both have ${/Pacman v[\d.]+/.exec(pacman)?.[0].toLowerCase().replace(" v", " ")}.`);

  step("Starting pacserve on both: pacserve --multicast --mdns");
  await meet(scene, alder, birch);

  step("Today the mirror has new versions. alder upgrades first: pacsrv -Syu");
  await scene.mirror.publish("today");
  if (!await upgrade(alder)) return false;
  const had = new Set(await alder.cached());
  const first = await scene.fromMirror(alder);
  tell(
    `  Nobody on the LAN had any of it: ${
      first.filter(isPackage).length
    } packages from the mirror.`,
  );

  step("Then birch: pacsrv -Syu");
  const before = await birch.installed();
  if (!await upgrade(birch)) return false;
  const fetched = new Set(await scene.fromMirror(birch));
  const arrivals = repository.packages.today.map((each): Arrival => ({
    package: each,
    before: before[each.name] ?? "",
    source: fetched.has(each.fileName) ? "mirror" : "LAN",
    onLan: had.has(each.fileName),
  }));
  table(arrivals.map(({ package: { name, version, size: bytes }, before, source }) => [
    name,
    `${before} -> ${version}`,
    size(bytes),
    source === "LAN" ? `from alder (${scene.address(alder)})` : "from the mirror",
  ]));
  return await judge(scene, birch, arrivals);
}

async function meet(scene: Scene, alder: ArchMachine, birch: ArchMachine): Promise<void> {
  const one = await scene.pacserve(alder, ["--multicast", "--mdns"]);
  const other = await scene.pacserve(birch, ["--multicast", "--mdns"]);
  await scene.meet(one, other);
  tell(
    `  alder found birch (${scene.address(birch)}), birch found alder (${scene.address(alder)}).`,
  );
}

async function upgrade(machine: ArchMachine): Promise<boolean> {
  const { code, stdout, stderr } = await pacsrv(machine, "-Syu");
  if (stderr !== "") tell(stderr.trimEnd());
  if (code !== 0) tell(`${stdout.trimEnd()}\npacman on ${machine.host.name} ended with ${code}.`);
  return code === 0;
}

/** The sums, from the mirror's access log, and the verdict. */
async function judge(
  scene: Scene,
  birch: ArchMachine,
  arrivals: readonly Arrival[],
): Promise<boolean> {
  const requests = (await scene.mirror.requests())
    .filter(({ host, method }) => host === birch.host.name && method === "GET");
  const packages = sum(requests.filter(({ file }) => isPackage(file)).map(({ bytes }) => bytes));
  const others = sum(requests.filter(({ file }) => !isPackage(file)).map(({ bytes }) => bytes));
  const fromLan = sum(
    arrivals.filter(({ source }) => source === "LAN").map((arrival) => arrival.package.size),
  );
  const all = sum(arrivals.map((arrival) => arrival.package.size));
  step("What birch got, by the mirror's access log");
  table([
    ["from the LAN", size(fromLan), "packages that the mirror was not asked for"],
    ["from the mirror", size(packages), "packages that nobody on the LAN had"],
    ["from the mirror", size(others), "databases and signatures"],
  ]);

  const installed = await birch.installed();
  const missing = arrivals.filter(({ package: { name, version } }) => installed[name] !== version);
  const wasted = arrivals.filter(({ source, onLan }) => source === "mirror" && onLan);
  for (const { package: { name } } of missing) tell(`${name} is not installed.`);
  for (const { package: { name } } of wasted) {
    tell(`${name} was fetched from the mirror although alder had it.`);
  }
  const good = missing.length === 0 && wasted.length === 0 && fromLan > 0;
  tell(
    `\nWithout pacserve the mirror would have sent birch ${size(all)} of packages: it sent ${
      size(packages)
    }.`,
  );
  tell(good ? "Everything that alder had, birch got from alder." : "The demo failed.");
  return good;
}

function isPackage(file: string): boolean {
  return /\.pkg\.tar\.\w+$/.test(file);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

try {
  Deno.exit(await play(Deno.args[0] ?? "") ? 0 : 1);
} catch (thrown) {
  console.error(`The demo failed: ${messageOf(thrown)}`);
  Deno.exit(1);
}
