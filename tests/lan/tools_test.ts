/** Tests other operations of pacman than -Syu through pacserve. */

import { assertEquals, assertMatch } from "../assert.ts";
import { type ArchMachine, cache } from "./arch.ts";
import { pacsrv, Scene } from "./scene.ts";

/** Creates a machine without packages, which has found another one with packages in its cache. */
async function machines(
  scene: Scene,
  ...names: readonly string[]
): Promise<{ alder: ArchMachine; birch: ArchMachine }> {
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  await alder.cachePackages(names.map((name) => scene.repository.package(name)));
  await scene.meet(await scene.pacserve(alder), await scene.pacserve(birch));
  return { alder, birch };
}

Deno.test("pacsrv -Sw: downloads packages and installs none", async () => {
  await using scene = await Scene.create();
  const { birch } = await machines(scene, "pebble");
  const { code, stderr } = await pacsrv(birch, "-Syw", "pebble");
  assertEquals([code, stderr], [0, ""]);
  assertEquals(await birch.installed(), {});
  const files = (await birch.cached()).filter((name) => !name.startsWith("download-"));
  assertEquals(files, scene.signed("pebble"));
  assertEquals(await scene.fromMirror(birch), scene.signatures("pebble"));
});

Deno.test("pacsrv -Fy: downloads the file databases", async () => {
  await using scene = await Scene.create();
  const { birch } = await machines(scene);
  const { code, stderr } = await pacsrv(birch, "-Fy");
  assertEquals([code, stderr], [0, ""]);
  const owner = await pacsrv(birch, "-F", "/opt/kelp/version");
  assertMatch(owner.stdout, /\bextra\/kelp 7\.1-1\n/);
});

Deno.test("pacsrv -U: installs a package from a URL of pacserve", async () => {
  await using scene = await Scene.create();
  const { birch } = await machines(scene, "pebble");
  const { fileName } = scene.repository.package("pebble");
  const address = `http://localhost:15678/pacman/core/x86_64/${fileName}`;
  await pacsrv(birch, "-Sy");
  const { code, stdout, stderr } = await pacsrv(birch, "-U", address);
  assertEquals([code, stderr], [0, ""], stdout);
  assertEquals(await birch.installed(), scene.today("pebble"));
  assertEquals(await scene.fromMirror(birch), scene.signatures("pebble"));
});

Deno.test("pacsrv --root: installs a package into another root", async () => {
  await using scene = await Scene.create();
  const { birch } = await machines(scene, "pebble");
  await birch.host.must(["mkdir", "-p", "/srv/root/var/lib/pacman"]);
  const words = ["--root", "/srv/root", "--cachedir", cache, "--noconfirm", "-Sy", "pebble"];
  const { code, stdout, stderr } = await pacsrv(birch, ...words);
  assertEquals([code, stderr], [0, ""], stdout);
  await birch.host.must(["test", "-s", "/srv/root/opt/pebble/data"]);
  assertEquals(await birch.installed(), {});
  assertEquals(await scene.fromMirror(birch), scene.signatures("pebble"));
});
