/**
 * Runs the demonstration: three hosts, one mirror, and an upgrade on all hosts at the same moment. This
 * program takes an empty directory for the repository. Exit status 0 means success.
 */

import { messageOf } from "../src/failure.ts";

import type { ArchMachine } from "../tests/lan/arch.ts";
import { recipes } from "../tests/lan/packages.ts";
import { makeRepository } from "../tests/lan/repository.ts";
import { pacsrv, Scene } from "../tests/lan/scene.ts";
import { size, step, table, tell } from "./words.ts";

/** Packages that are installed on all hosts. */
const common = ["glacier", "harbour", "kelp", "kelp-docs"];

/** Another package of the last host, which it cannot get from the others. */
const extra = "lantern";

/**
 * Speed of the mirror in bytes per second on each connection, because internet lines are slower than
 * loopback.
 */
const RATE = 5_000_000;

/**
 * Greatest amount that the mirror may send, as a multiple of what it would send to one host that needs
 * all packages.
 */
const MAX_SENT = 1.3;

/** A host and its installed packages. */
interface Part {
  readonly machine: ArchMachine;
  readonly packages: readonly string[];
}

/**
 * Runs the demonstration and prints its steps.
 *
 * @param directory an empty directory for the repository.
 * @returns true when the packages were installed and the mirror sent little enough.
 */
async function play(directory: string): Promise<boolean> {
  tell(
    "Three hosts and a mirror on one LAN (network namespaces on a bridge; no packet leaves this machine).",
  );
  step("Building and signing packages with makepkg, databases with repo-add …");
  const wanted = recipes.filter(({ names }) => [...common, extra].includes(names[0] ?? ""));
  const repository = await makeRepository(directory, wanted);

  await using scene = await Scene.create("yesterday", repository, RATE);
  const parts = await Promise.all(["alder", "birch", "cedar"].map(async (name): Promise<Part> => {
    const machine = await scene.machine(name);
    const packages = name === "cedar" ? [...common, extra] : common;
    await machine.installFromFiles("yesterday", packages);
    return { machine, packages };
  }));
  const mirror = scene.lan.addressOf(scene.mirror.host);
  table([
    ["mirror", mirror, "nginx with signed repositories core and extra"],
    ...parts.map(({ machine, packages }) => [
      machine.host.name,
      scene.address(machine),
      `Arch with ${packages.join(", ")}`,
    ]),
  ]);

  const { stdout: pacman } = await parts[0]!.machine.pacman(["--version"]);
  tell(`  All have ${/Pacman v[\d.]+/.exec(pacman)?.[0].toLowerCase().replace(" v", " ")}.`);

  step("Starting pacserve on each: pacserve --multicast --mdns");
  await meet(scene, parts);

  step("Today the mirror has new versions. All upgrade at the same moment: pacsrv -Syu");
  await scene.mirror.publish("today");
  const upgraded = await Promise.all(parts.map(({ machine }) => upgrade(machine)));
  return upgraded.every((each) => each) && await judge(scene, parts);
}

async function meet(scene: Scene, parts: readonly Part[]): Promise<void> {
  const servers = await Promise.all(
    parts.map(({ machine }) => scene.pacserve(machine, ["--multicast", "--mdns"])),
  );
  for (const [i, one] of servers.entries()) {
    for (const other of servers.slice(i + 1)) await scene.meet(one, other);
  }
  tell("  They found each other.");
}

async function upgrade(machine: ArchMachine): Promise<boolean> {
  const { code, stdout, stderr } = await pacsrv(machine, "-Syu");
  if (stderr !== "") tell(stderr.trimEnd());
  if (code !== 0) tell(`${stdout.trimEnd()}\npacman on ${machine.host.name} ended with ${code}.`);
  return code === 0;
}

/** Prints what the mirror sent to which hosts, and the result. */
async function judge(scene: Scene, parts: readonly Part[]): Promise<boolean> {
  const { today, yesterday } = scene.repository.packages;
  const log = (await scene.mirror.requests()).filter(({ method, file }) =>
    method === "GET" && isPackage(file)
  );
  step("What the mirror sent, according to its access log");
  table(today.map(({ name, version, fileName, size: bytes }) => {
    const before = yesterday.find((each) => each.name === name)?.version ?? "";
    // A host that gets a package from another one compares its first 4 KiB with the mirror's.
    const hosts = log.filter((request) => request.file === fileName && request.bytes > 4096)
      .map(({ host }) => host);
    return [name, `${before} -> ${version}`, size(bytes), `to ${[...new Set(hosts)].join(", ")}`];
  }));

  const missing = (await Promise.all(parts.map(async ({ machine, packages }) => {
    const installed = await machine.installed();
    return packages.filter((name) => installed[name] !== scene.repository.package(name).version)
      .map((name) => `${name} is not installed on ${machine.host.name}.`);
  }))).flat();
  for (const sentence of missing) tell(sentence);
  const sizeOf = (names: readonly string[]): number =>
    sum(names.map((name) => scene.repository.package(name).size));
  const once = sizeOf(today.map(({ name }) => name));
  const sent = sum(log.map(({ bytes }) => bytes));
  const without = size(sum(parts.map(({ packages }) => sizeOf(packages))));
  tell(`\nThe mirror sent ${size(sent)}. Without pacserve it would have sent ${without}.`);
  const isGood = missing.length === 0 && sent <= MAX_SENT * once;
  tell(
    isGood
      ? `Three hosts upgraded at the same moment, and each package crossed the line ${
        (sent / once).toFixed(2)
      } times.`
      : "The demo failed.",
  );
  return isGood;
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
