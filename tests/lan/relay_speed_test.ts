/** Tests which source sends a package of 20 MB, with slow peers and slow lines to the mirror. */

import { assert, assertEquals } from "../assert.ts";
import { type ArchMachine, cache } from "./arch.ts";
import type { Host } from "./host.ts";
import { Scene } from "./scene.ts";

/** Limits the speed with which a host sends, in Mbit/s. */
async function slow(host: Host, rate: number): Promise<void> {
  const words = ["tbf", "rate", `${rate}mbit`, "burst", "64kb", "latency", "400ms"];
  await host.must(["tc", "qdisc", "add", "dev", "eth0", "root", ...words]);
}

/** Downloads the package of 20 MB; returns the duration in milliseconds. */
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

Deno.test("Relay: a peer with 8 Mbit/s delays pacman by at most five seconds, compared with a fast mirror alone", async () => {
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

Deno.test("Relay: a fast peer is not left for a mirror with 4 Mbit/s", async () => {
  await using scene = await Scene.create();
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  const glacier = scene.repository.package("glacier");
  await alder.cachePackages([glacier]);
  await scene.meet(await scene.pacserve(alder), await scene.pacserve(birch));
  await refresh(birch);
  await slow(scene.mirror.host, 4);
  // The peer is slow enough for a race.
  await slow(alder.host, 32);
  await download(scene, birch);
  const requests = (await scene.mirror.requests()).filter(({ method, file }) =>
    method === "GET" && file === glacier.fileName
  );
  const sent = requests.reduce((sum, { bytes }) => sum + bytes, 0);
  // The mirror can send this number of bytes until the race ends, including the buffers of its kernel.
  assert(sent < glacier.size / 5, `the mirror sent ${sent} bytes`);
});
