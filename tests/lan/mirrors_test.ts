/** Mirrors that are down, are out of date, or are directories. */

import { assertEquals, assertStringIncludes } from "../assert.ts";
import { cache } from "./arch.ts";
import { Mirror } from "./mirror.ts";
import { pacsrv, Scene } from "./scene.ts";

Deno.test("mirrors: the first refuses connections, the second lacks the file, the third has it", async () => {
  await using scene = await Scene.create();
  const { lan, repository } = scene;
  await using first = await Mirror.start(lan, "first", repository, "today");
  await using second = await Mirror.start(lan, "second", repository, "today");
  await first.stop();
  await second.remove("core", repository.package("harbour").fileName);
  const birch = await scene.machine("birch", {
    mirrors: [first.server, second.server, scene.mirror.server],
  });
  await scene.pacserve(birch);

  const outcome = await pacsrv(birch, "-Syu", "harbour");
  assertEquals(outcome.stderr, "");
  assertEquals(outcome.code, 0, outcome.stdout);
  assertEquals(await birch.installed(), scene.today("harbour"));
  const { fileName } = repository.package("harbour");
  assertEquals((await scene.fromMirror(birch)).filter((file) => file === fileName), [fileName]);
});

Deno.test("mirrors: the first is off the network and never answers", async () => {
  await using scene = await Scene.create();
  await using first = await Mirror.start(scene.lan, "first", scene.repository, "today");
  const birch = await scene.machine("birch", { mirrors: [first.server, scene.mirror.server] });
  await scene.pacserve(birch);
  await scene.lan.unplug(first.host);

  const outcome = await pacsrv(birch, "-Syu", "harbour", "pebble");
  assertEquals(outcome.stderr, "");
  assertEquals(outcome.code, 0, outcome.stdout);
  assertEquals(await scene.fromMirror(birch), scene.signed("harbour", "pebble"));
});

Deno.test("mirrors: four repositories in directories and an unsigned one cause no error and no forged signature", async () => {
  await using scene = await Scene.create();
  const locals = ["one", "two", "three", "four"];
  const packages = ["pebble", "kelp", "kelp-docs", "lantern"];
  const sections = [
    ...locals.map((name) =>
      `[${name}]\nSigLevel = PackageRequired DatabaseNever\nServer = file:///srv/${name}\n`
    ),
    `[unsigned]\nSigLevel = Optional TrustAll\nServer = ${scene.mirror.server}\n`,
  ].join("\n");
  const [alder, birch] = [
    await scene.machine("alder", { sections }),
    await scene.machine("birch", { sections }),
  ];
  const pool = `${scene.repository.directory}/pool`;
  for (const [index, name] of locals.entries()) {
    const { fileName } = scene.repository.package(packages[index] ?? "");
    await birch.host.must([
      "bash",
      "-c",
      `set -e
      mkdir -p /srv/${name}; cd /srv/${name}; cp ${pool}/${fileName}* .
      repo-add --quiet ${name}.db.tar.gz ${fileName}`,
    ]);
  }
  const meadow = scene.repository.package("meadow@home");
  await scene.mirror.host.must([
    "bash",
    "-c",
    `set -e
    mkdir -p /srv/mirror/unsigned/os/x86_64; cd /srv/mirror/unsigned/os/x86_64
    cp ${pool}/${meadow.fileName} .
    repo-add --quiet unsigned.db.tar.gz ${meadow.fileName}`,
  ]);
  await alder.cachePackages([meadow], { signatures: false });
  const forged = `${cache}/${meadow.fileName}.sig`;
  await Deno.writeTextFile(alder.host.path(forged), "no packager made this");
  await scene.meet(await scene.pacserve(alder), await scene.pacserve(birch));

  const wanted = locals.map((name, index) => `${name}/${packages[index]}`);
  const outcome = await pacsrv(birch, "-Syu", ...wanted, "unsigned/meadow@home");
  assertEquals(outcome.stderr, "");
  assertEquals(outcome.code, 0, outcome.stdout);
  assertEquals(await birch.installed(), scene.today(...packages, "meadow@home"));
  const cached = await birch.cached();
  assertEquals(cached.filter((file) => file.startsWith("meadow")), [meadow.fileName]);
  // The package itself may come from a peer, because pacman verifies its checksum in the database.
  assertEquals(await scene.fromMirror(birch), []);
});

Deno.test("mirrors: pacman reports a package that no mirror and no peer has, as without pacserve", async () => {
  await using scene = await Scene.create();
  const birch = await scene.machine("birch");
  const { fileName } = scene.repository.package("pebble");
  await scene.mirror.remove("core", fileName);
  await scene.pacserve(birch);
  const outcome = await pacsrv(birch, "-Sy", "pebble");
  assertEquals(outcome.code, 1);
  assertStringIncludes(outcome.stderr, "failed retrieving file");
  assertEquals(await birch.installed(), {});
});
