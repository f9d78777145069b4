/** The sources of packages when everything works: peers, the mirror, or both. */

import { assertEquals } from "../assert.ts";
import { cache, pacserveServer } from "./arch.ts";
import { crossroads } from "./crossroads.ts";
import { Network } from "./network.ts";
import { pacsrv, Scene } from "./scene.ts";

const databases = ["core.db", "core.db.sig", "extra.db", "extra.db.sig"];
const all = ["glacier", "harbour", "kelp", "kelp-docs", "lantern", "meadow@home", "pebble"];

Deno.test("sources: if a peer has the packages, only databases and signatures come from the mirror", async () => {
  await using scene = await Scene.create();
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  await alder.cachePackages(scene.repository.packages.today);
  // The mirror no longer has this package, so that only the peer can provide it.
  await scene.mirror.remove("extra", scene.repository.package("lantern").fileName);
  await scene.meet(await scene.pacserve(alder), await scene.pacserve(birch));

  const outcome = await pacsrv(birch, "-Syu", ...all);
  assertEquals(outcome.stderr, "");
  assertEquals(outcome.code, 0, outcome.stdout);
  assertEquals(await birch.installed(), scene.today(...all));
  assertEquals(await scene.fromMirror(birch), scene.signatures(...all));
  const others = (await scene.mirror.fetchedBy(birch.host)).filter((file) =>
    !file.includes(".pkg.")
  );
  assertEquals(others, databases);
});

Deno.test("sources: packages that no peer has come from the mirror, without an error of pacman", async () => {
  await using scene = await Scene.create();
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  await scene.meet(await scene.pacserve(alder), await scene.pacserve(birch));

  const outcome = await pacsrv(birch, "-Syu", ...all);
  assertEquals(outcome.stderr, "");
  assertEquals(outcome.code, 0, outcome.stdout);
  assertEquals(await birch.installed(), scene.today(...all));
  assertEquals(await scene.fromMirror(birch), scene.signed(...all));
});

Deno.test("sources: packages that one machine got from the mirror come from that machine to the next", async () => {
  await using scene = await Scene.create();
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  await scene.meet(await scene.pacserve(alder), await scene.pacserve(birch));

  assertEquals((await pacsrv(alder, "-Sy", "harbour", "kelp")).stderr, "");
  assertEquals((await pacsrv(birch, "-Sy", "harbour", "kelp")).stderr, "");
  assertEquals(await birch.installed(), scene.today("harbour", "kelp"));
  assertEquals(await scene.fromMirror(alder), scene.signed("harbour", "kelp"));
  assertEquals(await scene.fromMirror(birch), scene.signatures("harbour", "kelp"));
});

Deno.test("sources: with parallel downloads each package comes from a peer that has it", async () => {
  await using scene = await Scene.create("yesterday");
  const birch = await scene.machine("birch", { parallel: 5 });
  const [alder, cedar] = [await scene.machine("alder"), await scene.machine("cedar")];
  await birch.installFromFiles("yesterday", all);
  await scene.mirror.publish("today");
  const { repository } = scene;
  await alder.cachePackages([repository.package("glacier"), repository.package("harbour")]);
  await cedar.cachePackages([repository.package("kelp"), repository.package("kelp-docs")]);
  const server = await scene.pacserve(birch);
  await scene.meet(server, await scene.pacserve(alder));
  await scene.meet(server, await scene.pacserve(cedar));

  const outcome = await pacsrv(birch, "-Syu");
  assertEquals(outcome.stderr, "");
  assertEquals(outcome.code, 0, outcome.stdout);
  assertEquals(await birch.installed(), scene.today(...all));
  const { fileName } = repository.package("lantern");
  assertEquals(
    await scene.fromMirror(birch),
    [fileName, ...scene.signatures("glacier", "harbour", "kelp", "kelp-docs", "lantern")].sort(),
  );
});

Deno.test("sources: a download that broke off continues from a peer at the same byte", async () => {
  await using scene = await Scene.create();
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  const glacier = scene.repository.package("glacier");
  await alder.cachePackages([glacier]);
  const half = Math.floor(glacier.size / 2);
  const bytes = (await Deno.readFile(scene.repository.file(glacier))).subarray(0, half);
  await Deno.writeFile(birch.host.path(`${cache}/${glacier.fileName}.part`), bytes);
  await scene.meet(await scene.pacserve(alder), await scene.pacserve(birch));

  const outcome = await pacsrv(birch, "-Sy", "glacier");
  assertEquals(outcome.stderr, "");
  assertEquals(await birch.installed(), scene.today("glacier"));
  // pacserve got the whole copy, because it can only verify that, and pacman got the rest.
  assertEquals(await scene.fromMirror(birch), scene.signatures("glacier"));
});

Deno.test("sources: a machine without pacserve can use the one of another host", async () => {
  await using scene = await Scene.create();
  const alder = await scene.machine("alder");
  await alder.cachePackages([scene.repository.package("harbour")]);
  await scene.pacserve(alder);
  const server = pacserveServer(scene.address(alder));
  const cedar = await scene.machine("cedar", { mirrors: [server] });

  const outcome = await cedar.pacman(["-Syu", "harbour", "pebble"]);
  assertEquals(outcome.stderr, "");
  assertEquals(outcome.code, 0, outcome.stdout);
  assertEquals(await cedar.installed(), scene.today("harbour", "pebble"));
  assertEquals(await scene.fromMirror(cedar), scene.signed("pebble"));
});

Deno.test("sources: a machine without pacserve is not redirected to a peer on another network", async () => {
  await using scene = await Scene.create();
  await using other = await Network.create("10.20.40");
  const { alder, birch, cedar } = await crossroads(scene, other);
  await cedar.cachePackages([scene.repository.package("pebble")]);
  const between = await scene.pacserve(birch);
  await scene.pacserve(cedar);
  await between.knows(other.addressOf(cedar.host));
  await alder.configure({ mirrors: [pacserveServer(scene.address(birch))] });

  const outcome = await alder.pacman(["-Sy", "pebble"]);
  assertEquals(outcome.stderr, "");
  assertEquals(outcome.code, 0, outcome.stdout);
  assertEquals(await scene.fromMirror(alder), scene.signed("pebble"));
  // birch itself is on both networks.
  assertEquals((await pacsrv(birch, "-Sy", "pebble")).stderr, "");
  assertEquals(await scene.fromMirror(birch), scene.signatures("pebble"));
});
