/** Tests that servers find each other with multicast and --peer, and end with a signal. */

import { fileURLToPath } from "node:url";
import { assert, assertEquals } from "../assert.ts";
import { crossroads } from "./crossroads.ts";
import { Network } from "./network.ts";
import { pacsrv, Scene } from "./scene.ts";

Deno.test("--multicast: two servers find each other within two seconds after the start of the second one", async () => {
  await using scene = await Scene.create();
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  const first = await scene.pacserve(alder);
  // The server listens when the promise resolves. Its start on a busy machine does not count.
  const second = await scene.pacserve(birch);
  const start = performance.now();
  await scene.meet(first, second);
  const took = Math.round(performance.now() - start);
  assert(took < 2000, `${took} ms`);
});

Deno.test("--multicast: a machine on two networks finds the peers in both", async () => {
  await using scene = await Scene.create();
  await using other = await Network.create("10.20.40");
  const { alder, birch, cedar } = await crossroads(scene, other);
  const [a, b, c] = [
    await scene.pacserve(alder),
    await scene.pacserve(birch),
    await scene.pacserve(cedar),
  ];
  await b.knows(scene.address(alder));
  await b.knows(other.addressOf(cedar.host));
  await a.knows(scene.address(birch));
  await c.knows(other.addressOf(birch.host));
});

Deno.test("--peer: a static peer is used without multicast", async () => {
  await using scene = await Scene.create();
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  await alder.cachePackages([scene.repository.package("pebble")]);
  await scene.pacserve(alder, []);
  await scene.pacserve(birch, ["--peer", `http://${scene.address(alder)}:15678/`]);
  assertEquals((await pacsrv(birch, "-Sy", "pebble")).stderr, "");
  // Signatures come from mirrors.
  assertEquals(await scene.fromMirror(birch), scene.signatures("pebble"));
});

Deno.test("pacserve: Ctrl-C and SIGTERM end the server with status 0", async () => {
  await using scene = await Scene.create();
  const birch = await scene.machine("birch");
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const server = await scene.pacserve(birch);
    server.program.signal(signal);
    assertEquals((await server.program.ended).code, 0, server.program.output);
  }
});

Deno.test("deno task start: prints its address and the sources of files, and ends with Ctrl-C", async () => {
  await using scene = await Scene.create();
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  const packages = ["pebble", "kelp", "harbour"].map((name) => scene.repository.package(name));
  const [pebble, kelp, harbour] = packages.map(({ fileName }) => fileName);
  await birch.cachePackages(packages.slice(0, 1));
  await alder.cachePackages(packages.slice(1, 2));
  await scene.pacserve(alder);
  const directory = fileURLToPath(new URL("../..", import.meta.url));
  const words = ["setsid", Deno.execPath(), "task", "start", "/srv"];
  await using task = birch.host.spawn(words, { directory });
  const [own, peer] = [birch, alder].map((machine) => `http://${scene.address(machine)}:15678`);
  await task.line(new RegExp(`^ *address +${own}/`), 0, 20_000);
  await task.line(/^ *shared +.*\/pkg <- \/var\/cache\/pacman\/pkg/);
  await task.line(/^ *peers +.*multicast/);
  await task.line(/^ *use +pacsrv -Syu/);
  await task.line(new RegExp(`found peer ${peer}/`));
  const sources = [
    [pebble, "cache"],
    [kelp, `peer ${peer}`],
    [harbour, `mirror http://${scene.lan.addressOf(scene.mirror.host)}`],
  ];
  for (const [file = "", source = ""] of sources) {
    const address = `http://localhost:15678/pacman/core/x86_64/${file}`;
    await birch.host.must(["curl", "-s", "-o", "/dev/null", address]);
    const line = await task.line(new RegExp(`"GET [^"]*/${file.slice(0, 4)}`));
    assert(line.endsWith(` ${source}`), line);
  }
  // A terminal sends Ctrl-C to all processes in it.
  Deno.kill(-task.pid, "SIGINT");
  assertEquals((await task.ended).code, 0, task.output);
});
