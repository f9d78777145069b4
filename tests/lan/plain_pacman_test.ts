/** Tests the environment of the other tests: without pacserve, all files come from the mirror. */

import { assertEquals } from "../assert.ts";
import { ArchMachine } from "./arch.ts";
import { Mirror } from "./mirror.ts";
import { Network } from "./network.ts";
import { sharedRepository } from "./repository.ts";

Deno.test("pacman without pacserve upgrades signed packages, and downloads all of them from the mirror", async () => {
  const repository = await sharedRepository();
  await using lan = await Network.create();
  await using mirror = await Mirror.start(lan, "mirror", repository, "yesterday");
  const birch = await ArchMachine.setUp(await lan.host("birch"), repository, {
    mirrors: [mirror.server],
  });

  const installing = await birch.pacman(["-Syu", "harbour", "pebble"]);
  assertEquals(installing.stderr, "");
  assertEquals(installing.code, 0);
  assertEquals(await birch.installed(), { harbour: "1:3.0-1", pebble: "5.4-1" });

  await mirror.publish("today");
  const upgrading = await birch.pacman(["-Syu"]);
  assertEquals(upgrading.stderr, "");
  assertEquals(await birch.installed(), { harbour: "1:3.1-1", pebble: "5.4-1" });
  assertEquals(await mirror.packagesFetchedBy(birch.host), [
    "harbour-1:3.0-1-x86_64.pkg.tar.zst",
    "harbour-1:3.0-1-x86_64.pkg.tar.zst.sig",
    "harbour-1:3.1-1-x86_64.pkg.tar.zst",
    "harbour-1:3.1-1-x86_64.pkg.tar.zst.sig",
    "pebble-5.4-1-any.pkg.tar.zst",
    "pebble-5.4-1-any.pkg.tar.zst.sig",
  ]);
});

Deno.test("pacman without pacserve refuses a package that the packager has not signed", async () => {
  const repository = await sharedRepository();
  await using lan = await Network.create();
  await using mirror = await Mirror.start(lan, "mirror", repository, "today");
  const birch = await ArchMachine.setUp(await lan.host("birch"), repository, {
    mirrors: [mirror.server],
  });
  const pebble = repository.package("pebble");
  await mirror.remove(pebble.repository, `${pebble.fileName}.sig`);
  const outcome = await birch.pacman(["-Sy", "pebble"]);
  assertEquals(outcome.code, 1);
  assertEquals(await birch.installed(), {});
});
