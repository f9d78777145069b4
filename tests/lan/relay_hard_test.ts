/**
 * Real pacman, with sources that fail in the middle of large packages, on slow lines, one after another,
 * or for every package of an upgrade. It must end with exit status 0 and without an error line.
 */

import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { lastingScratch } from "../scratch.ts";
import { type ArchMachine, cache } from "./arch.ts";
import type { Host } from "./host.ts";
import type { Recipe } from "./packages.ts";
import type { Pacserve } from "./pacserve.ts";
import { eventually, type RunningProgram } from "./process.ts";
import { makeRepository, type Repository } from "./repository.ts";
import { pacsrv, Scene } from "./scene.ts";

/** Greatest delay in milliseconds because of a failing source. */
const COST = 10_000;

const STONES = Array.from({ length: 12 }, (_, index) => `stone${index + 1}`);

/** The recipes of a package of 300 MB, and of twelve small ones. */
const recipes: readonly Recipe[] = [
  {
    repository: "core",
    names: ["boulder"],
    versions: ["1.0"],
    architecture: "any",
    kibibytes: 293_000,
    description: "A very large package",
  },
  {
    repository: "extra",
    names: STONES,
    versions: ["1.0"],
    architecture: "any",
    kibibytes: 500,
    description: "Twelve packages",
  },
];

let made: Promise<Repository> | null = null;

/** The repository of {@link recipes}, which is made once and removed at the end. */
function hardRepository(): Promise<Repository> {
  made ??= makeRepository(lastingScratch(), recipes);
  return made;
}

/** Limits the line of a host to the given Mbit/s. */
async function slow(host: Host, rate: number): Promise<void> {
  const words = ["tbf", "rate", `${rate}mbit`, "burst", "64kb", "latency", "400ms"];
  await host.must(["tc", "qdisc", "add", "dev", "eth0", "root", ...words]);
}

/** Starts a server that sends all packages of the repository with a fault, and returns its address, too. */
async function hostile(
  scene: Scene,
  name: string,
  fault: string,
): Promise<{ readonly url: string; readonly program: RunningProgram }> {
  const host = await scene.lan.host(name);
  const path = fileURLToPath(new URL("hostile_server.ts", import.meta.url));
  const pool = `${scene.repository.directory}/pool`;
  const command = ["run", "--no-check", "-A", path, "15678", pool, fault];
  const program = host.spawn([Deno.execPath(), ...command]);
  await program.line(/^listening$/, 0, 20_000);
  return { url: `http://${scene.lan.addressOf(host)}:15678/`, program };
}

/** Returns the options of a pacserve with these peers. */
function peers(...urls: readonly string[]): string[] {
  return [...urls.flatMap((url) => ["--peer", url]), "--search-timeout", "3000"];
}

/** Checks that no partial file is left, and that each file is the same as the packager's. */
async function assertGood(
  scene: Scene,
  machine: ArchMachine,
  ...names: readonly string[]
): Promise<void> {
  const files = await machine.cached();
  assertEquals(files.filter((name) => name.endsWith(".part")), []);
  for (const name of names) {
    const each = scene.repository.package(name);
    const path = machine.host.path(`${cache}/${each.fileName}`);
    await scene.mirror.host.must(["cmp", path, scene.repository.file(each)]);
  }
}

/** Runs pacman, which must notice nothing. Returns the milliseconds that it took. */
async function download(machine: ArchMachine, ...names: readonly string[]): Promise<number> {
  const begin = performance.now();
  const { code, stdout, stderr } = await machine.pacman(["-Sw", ...names], ["pacsrv"], {
    deadline: 120_000,
  });
  assertEquals([code, stderr], [0, ""], stdout);
  return performance.now() - begin;
}

/**
 * Waits until pacserve has read the databases; a request waits at most three seconds for that. It finds out by
 * an empty package, which pacserve then reports as unused.
 */
async function databasesAreRead(
  scene: Scene,
  { machine: { host }, program }: Pacserve,
): Promise<void> {
  const { repository, fileName } = scene.repository.package("pebble");
  await host.write(`${cache}/${fileName}`, "");
  const address = `http://localhost:15678/pacman/${repository}/x86_64/${fileName}`;
  await eventually("the databases have been read", async () => {
    await host.must(["curl", "--silent", "--head", address]);
    return program.output.includes("which differs from the size in the database");
  });
  await Deno.remove(host.path(`${cache}/${fileName}`));
}

async function refresh(machine: ArchMachine): Promise<void> {
  const { code, stderr } = await pacsrv(machine, "-Sy");
  assertEquals([code, stderr], [0, ""]);
}

const failures: Readonly<Record<string, (scene: Scene, peer: Pacserve) => unknown>> = {
  "is killed": (_scene, peer) => peer.kill(),
  "is frozen": (_scene, peer) => peer.program.signal("SIGSTOP"),
  "is cut off": (scene, peer) => scene.lan.unplug(peer.machine.host),
};

for (const [name, fail] of Object.entries(failures)) {
  Deno.test(`relay: a peer that ${name} in the middle of 20 MB causes a delay of less than ten seconds`, async () => {
    await using scene = await Scene.create();
    const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
    const glacier = scene.repository.package("glacier");
    await alder.cachePackages([glacier]);
    const peer = await scene.pacserve(alder);
    await scene.meet(peer, await scene.pacserve(birch));
    await refresh(birch);
    await slow(alder.host, 40);

    const running = birch.startPacman(["-Sw", "glacier"], ["pacsrv"]);
    await using _ = running;
    await eventually("the peer has sent a part of the package", async () => {
      const words = ["ip", "-json", "-statistics", "link", "show", "eth0"];
      const [statistics] = JSON.parse(await alder.host.must(words)) as [
        { stats64: { tx: { bytes: number } } },
      ];
      return statistics.stats64.tx.bytes > 2 * 1024 * 1024;
    });
    const begin = performance.now();
    await fail(scene, peer);
    const { code, stdout, stderr } = await running.ended;
    assertEquals([code, stderr], [0, ""], stdout);
    // Without the failure it would not have ended earlier than now.
    const cost = performance.now() - begin;
    assert(cost < COST, `it took ${cost} ms more`);
    await assertGood(scene, birch, "glacier");
    const [rest] = (await scene.mirror.requests()).filter(({ method, file, bytes }) =>
      method === "GET" && file === glacier.fileName && bytes > 4096
    );
    assertMatch(rest?.range ?? "", /^bytes=[1-9]\d*-$/);
  });
}

Deno.test("relay: of a package of 300 MB from a peer, only the beginning comes from the mirror", async () => {
  await using scene = await Scene.create("today", hardRepository());
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  const boulder = scene.repository.package("boulder");
  await alder.cachePackages([boulder]);
  await scene.meet(await scene.pacserve(alder), await scene.pacserve(birch));
  await refresh(birch);
  await download(birch, "boulder");
  await assertGood(scene, birch, "boulder");
  const sent = (await scene.mirror.requests()).filter(({ file }) => file === boulder.fileName)
    .reduce((sum, { method, bytes }) => method === "GET" ? sum + bytes : sum, 0);
  // On a slow machine the lifeline may need bytes of the mirror, or a race may begin.
  assert(sent < boulder.size / 2, `the mirror sent ${sent} bytes`);
});

Deno.test("relay: a peer breaks off in the middle of 300 MB, and a mirror sends the rest", async () => {
  await using scene = await Scene.create("today", hardRepository());
  const birch = await scene.machine("birch");
  const { url, program } = await hostile(scene, "hostile", "breaks off after half");
  await using _ = program;
  await scene.pacserve(birch, peers(url));
  await program.line(/^greeted$/, 0, 20_000);
  await refresh(birch);
  await download(birch, "boulder");
  await assertGood(scene, birch, "boulder");
  await program.line(/^asked for boulder/);
});

Deno.test("relay: a line of 4 Mbit/s, a silent peer, and a silent mirror", async () => {
  await using scene = await Scene.create();
  const silentPeer = await hostile(scene, "peer", "is frozen after its head");
  await using _one = silentPeer.program;
  const silentMirror = await hostile(scene, "silent", "is frozen after a byte");
  await using _two = silentMirror.program;
  const birch = await scene.machine("birch", {
    mirrors: [`${silentMirror.url}$repo`, scene.mirror.server],
  });
  await scene.pacserve(birch, peers(silentPeer.url));
  await silentPeer.program.line(/^greeted$/, 0, 20_000);
  await refresh(birch);
  await slow(scene.mirror.host, 4);
  const kelp = scene.repository.package("kelp");
  const undisturbed = kelp.size * 8 / 4_000;
  const took = await download(birch, "kelp");
  await silentPeer.program.line(/^asked for kelp/);
  await silentMirror.program.line(/^asked for kelp/);
  assert(took < undisturbed + COST, `${took} ms instead of ${undisturbed}`);
  await assertGood(scene, birch, "kelp");
});

Deno.test("relay: hostile peers for all twelve packages of an upgrade", async (t) => {
  await using scene = await Scene.create("today", hardRepository());
  const one = await hostile(scene, "one", "has another build of the same length");
  await using _one = one.program;
  const two = await hostile(scene, "two", "has other bytes at the end");
  await using _two = two.program;
  const honest = await scene.machine("honest");
  await honest.cachePackages(STONES.map((name) => scene.repository.package(name)));
  await scene.pacserve(honest);
  const honestUrl = `http://${scene.address(honest)}:15678/`;
  const cases: Readonly<Record<string, readonly string[]>> = {
    "one of them": [one.url],
    "two of them": [one.url, two.url],
    "one of them and an honest one": [one.url, honestUrl],
  };
  for (const [index, [name, urls]] of Object.entries(cases).entries()) {
    await t.step(name, async () => {
      const birch = await scene.machine(`birch${index}`);
      const lines = [one, two].map(({ program }) => program.lines.length);
      const pacserve = await scene.pacserve(birch, peers(...urls));
      await one.program.line(/^greeted$/, lines[0], 20_000);
      await refresh(birch);
      const begin = performance.now();
      const { code, stdout, stderr } = await pacsrv(birch, "-S", ...STONES);
      const took = performance.now() - begin;
      assertEquals([code, stderr], [0, ""], `${stdout}\n${pacserve.program.output}`);
      assertEquals(await birch.installed(), scene.today(...STONES));
      assert(took < 2 * COST, `it took ${took} ms`);
      await assertGood(scene, birch, ...STONES);
      const asked = one.program.lines.slice(lines[0]).filter((line) => line.startsWith("asked"));
      // An honest peer may be the first to answer each search.
      assert(asked.length > 0 || urls.includes(honestUrl), "it was not asked");
      // After three consecutive wrong files the peer is not used again, but five downloads run at a time.
      assert(asked.length <= 8, `it was asked ${asked.length} times`);
      await pacserve.stop();
    });
  }
});

for (
  const fault of [
    "breaks off after half",
    "breaks off before the last byte",
    "has a truncated file",
  ]
) {
  Deno.test(`relay: when the only source ${fault}, the next run succeeds`, async () => {
    await using scene = await Scene.create();
    const birch = await scene.machine("birch");
    assertEquals((await birch.pacman(["-Sy"])).code, 0);
    const { url, program } = await hostile(scene, "hostile", fault);
    await using _ = program;
    const list = "/etc/pacman.d/mirrorlist";
    await birch.host.write(list, `Server = ${url}$repo\n`);
    const server = await scene.pacserve(birch, []);
    await databasesAreRead(scene, server);
    const { code, stdout } = await pacsrv(birch, "-Sw", "lantern");
    assertEquals(code, 1, stdout);
    await program.line(/^asked for lantern/);
    const before = server.program.lines.length;
    await birch.host.write(list, `Server = ${scene.mirror.server}\n`);
    await server.program.line(/the configuration was read again/, before);
    await download(birch, "lantern");
    await assertGood(scene, birch, "lantern");
  });
}

Deno.test("relay: when the only source has another build and nothing is signed, the next run succeeds", async () => {
  await using scene = await Scene.create();
  const { url, program } = await hostile(scene, "other", "has another build of the same length");
  await using _ = program;
  for (const through of [["pacman"], ["pacsrv"]]) {
    const birch = await scene.machine(`with-${through}`);
    const configuration = birch.host.path("/etc/pacman.conf");
    const text = await Deno.readTextFile(configuration);
    await Deno.writeTextFile(configuration, text.replace("= Required Data", "= Never Data"));
    assertEquals((await birch.pacman(["-Sy"])).code, 0);
    const list = "/etc/pacman.d/mirrorlist";
    await birch.host.write(list, `Server = ${url}$repo\n`);
    const server = await scene.pacserve(birch, []);
    const first = await birch.pacman(["-Sw", "lantern"], through);
    assertEquals(first.code, 1, first.stdout);
    const before = server.program.lines.length;
    await birch.host.write(list, `Server = ${scene.mirror.server}\n`);
    await server.program.line(/the configuration was read again/, before);
    const second = await birch.pacman(["-Sw", "lantern"], through);
    assertEquals([second.code, second.stderr], [0, ""], second.stdout);
    await assertGood(scene, birch, "lantern");
  }
});
