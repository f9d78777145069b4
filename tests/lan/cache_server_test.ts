/** Tests both lines of /etc/pacman.d/pacserve, CacheServer and Server, with real pacman. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import type { ArchMachine } from "./arch.ts";
import { pacsrv, Scene } from "./scene.ts";

const NAMES = ["glacier", "harbour", "kelp", "lantern", "meadow@home"];

/** True when the pacman of a machine is 6.1 (libalpm 14) or later, which supports CacheServer. */
async function knowsCacheServer({ host }: ArchMachine): Promise<boolean> {
  const version = /libalpm v(\d+)/.exec(await host.must(["pacman", "--version"]))?.[1];
  return Number(version) >= 14;
}

Deno.test("CacheServer, Server: an upgrade succeeds when one of two peers is killed during it", async () => {
  await using scene = await Scene.create();
  const [alder, cedar, birch] = [
    await scene.machine("alder"),
    await scene.machine("cedar"),
    await scene.machine("birch", { parallel: 2 }),
  ];
  const packages = NAMES.map((name) => scene.repository.package(name));
  // Make the line slow, so that the peer can be killed during a transfer.
  const slow = ["tbf", "rate", "40mbit", "burst", "64kb", "latency", "400ms"];
  for (const peer of [alder, cedar]) {
    await peer.cachePackages(packages);
    await peer.host.must(["tc", "qdisc", "add", "dev", "eth0", "root", ...slow]);
  }
  const client = await scene.pacserve(birch);
  const peers = [await scene.pacserve(alder), await scene.pacserve(cedar)];
  for (const peer of peers) await scene.meet(peer, client);

  const pacman = birch.startPacman(["-Sy", ...NAMES], ["pacsrv"]);
  await using _ = pacman;
  // The line is logged when the kernel has the whole package. Other packages are not sent yet.
  const asked = await Promise.any(peers.map(async (peer) => {
    await peer.answered(/pkg\.tar/, 0, 30_000);
    return peer;
  }));
  await asked.kill();
  const outcome = await pacman.ended;
  assertEquals(outcome.code, 0, outcome.stdout + outcome.stderr);
  assertEquals(await birch.installed(), scene.today(...NAMES));
  if (await knowsCacheServer(birch)) {
    assertEquals(outcome.stderr, "");
  } else {
    // pacman reports the errors of a Server. An old pacman warns about CacheServer.
    for (const line of outcome.stderr.split("\n").filter((line) => line !== "")) {
      assertMatch(line, /^(error: failed retrieving|warning: too many errors from localhost)/);
    }
  }
});

Deno.test("Server: a URL with /os/ works, like those of all Arch mirrors", async () => {
  await using scene = await Scene.create();
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  await alder.cachePackages([scene.repository.package("pebble")]);
  await scene.meet(await scene.pacserve(alder), await scene.pacserve(birch));
  // Write a mirror list from the host's servers, like arch-nspawn of devtools does for its root.
  const rewrite =
    `sed 's,^.extra.$,&\\nInclude = /etc/pacman.d/pacserve,' /etc/pacman.conf > /srv/conf
    pacman-conf --config /srv/conf --repo extra Server |
      sed -r 's#(.*/)extra/os/.*#Server = \\1$repo/os/$arch#' > /srv/list
    mv /srv/list /etc/pacman.d/mirrorlist`;
  await birch.host.must(["bash", "-ec", rewrite]);
  const list = await Deno.readTextFile(birch.host.path("/etc/pacman.d/mirrorlist"));
  assert(list.startsWith("Server = http://localhost:15678/pacman/$repo/os/$arch\n"), list);
  const outcome = await birch.pacman(["-Sy", "pebble"]);
  assertEquals([outcome.code, outcome.stderr], [0, ""]);
  assertEquals(await birch.installed(), scene.today("pebble"));
  // Signatures come from mirrors.
  assertEquals(await scene.fromMirror(birch), scene.signatures("pebble"));
});

Deno.test("pacsrv: an old pacman prints no warning about the user's own Include", async () => {
  await using scene = await Scene.create();
  const birch = await scene.machine("birch");
  await scene.pacserve(birch);
  const text = await Deno.readTextFile(birch.host.path("/etc/pacman.conf"));
  const include = "Include = /etc/pacman.d/pacserve";
  await birch.host.write(
    "/etc/pacman.conf",
    text.replaceAll(/^\[(core|extra)\]$/gm, `$&\n${include}`),
  );
  const outcome = await pacsrv(birch, "-Sy", "pebble");
  assertEquals([outcome.code, outcome.stderr], [0, ""]);
  assertEquals(await birch.installed(), scene.today("pebble"));
});
