/** Slow peers, and slow lines to the mirror: which of them sends a package of 20 MB. */

import { assert, assertEquals } from "../assert.ts";
import { type ArchMachine, cache } from "./arch.ts";
import type { Host } from "./host.ts";
import { Scene } from "./scene.ts";

/** Limits what a host sends to the given Mbit/s. */
async function slow(host: Host, rate: number): Promise<void> {
  const words = ["tbf", "rate", `${rate}mbit`, "burst", "64kb", "latency", "400ms"];
  await host.must(["tc", "qdisc", "add", "dev", "eth0", "root", ...words]);
}

/** Downloads the package of 20 MB. Returns the milliseconds that it took. */
async function download(scene: Scene, machine: ArchMachine): Promise<number> {
  const begin = performance.now();
  const { code, stdout, stderr } = await machine.pacman(["-Sw", "glacier"], ["pacsrv"]);
  const took = performance.now() - begin;
  assertEquals([code, stderr], [0, ""], stdout);
  const glacier = scene.repository.package("glacier");
  const path = machine.host.path(`${cache}/${glacier.fileName}`);
  await scene.mirror.host.must(["cmp", path, scene.repository.file(glacier)]);
  return took;
}

async function refresh(machine: ArchMachine): Promise<void> {
  const { code, stderr } = await machine.pacman(["-Sy"], ["pacsrv"]);
  assertEquals([code, stderr], [0, ""]);
}

Deno.test("relay: with a peer at 8 Mbit/s a download takes at most five seconds more than from a fast mirror", async () => {
  await using scene = await Scene.create();
  const [alder, birch, cedar] = [
    await scene.machine("alder"),
    await scene.machine("birch"),
    await scene.machine("cedar"),
  ];
  await scene.pacserve(cedar, []);
  await refresh(cedar);
  const alone = await download(scene, cedar);

  await alder.cachePackages([scene.repository.package("glacier")]);
  const peer = await scene.pacserve(alder);
  const server = await scene.pacserve(birch);
  await scene.meet(peer, server);
  await refresh(birch);
  await slow(alder.host, 8);
  const took = await download(scene, birch);
  assert(took < alone + 5_000, `${took} ms, from the mirror alone ${alone} ms`);
  await server.program.line(/slower than a mirror/);
});

Deno.test("relay: a fast peer is not replaced by a mirror at 4 Mbit/s", async () => {
  await using scene = await Scene.create();
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  const glacier = scene.repository.package("glacier");
  await alder.cachePackages([glacier]);
  await scene.meet(await scene.pacserve(alder), await scene.pacserve(birch));
  await refresh(birch);
  await slow(scene.mirror.host, 4);
  // The peer is slow enough for a race to begin.
  await slow(alder.host, 32);
  await download(scene, birch);
  const requests = (await scene.mirror.requests()).filter(({ method, file }) =>
    method === "GET" && file === glacier.fileName
  );
  const sent = requests.reduce((sum, { bytes }) => sum + bytes, 0);
  // The bytes that a mirror at this speed can send until the race ends, and those in its kernel's buffers.
  assert(sent < glacier.size / 5, `the mirror sent ${sent} bytes`);
});
