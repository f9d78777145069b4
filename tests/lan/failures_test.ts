/** Peers that fail at every stage of a download: pacman still installs the package. */

import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { type ArchMachine, cache } from "./arch.ts";
import type { Package } from "./packages.ts";
import type { Pacserve } from "./pacserve.ts";
import { eventually } from "./process.ts";
import { pacsrv, Scene } from "./scene.ts";

/** Speed of a peer's cable, which is slow enough for something to happen during a transfer. */
const slow = ["tbf", "rate", "40mbit", "burst", "64kb", "latency", "400ms"];

/** Makes a peer with a slow cable that has a package, and a machine that needs it. */
async function peerAndClient(
  scene: Scene,
  wanted: Package,
): Promise<{ birch: ArchMachine; peer: Pacserve }> {
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  await alder.cachePackages([wanted]);
  const peer = await scene.pacserve(alder);
  await scene.meet(peer, await scene.pacserve(birch));
  await alder.host.must(["tc", "qdisc", "add", "dev", "eth0", "root", ...slow]);
  return { birch, peer };
}

for (
  const { last, when } of [
    { last: "POST", when: "before it confirms" },
    { last: "HEAD", when: "when it has confirmed" },
  ]
) {
  Deno.test(`relay: a peer confirms the file and dies ${when}`, async () => {
    await using scene = await Scene.create();
    const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
    const program = fileURLToPath(new URL("dying_peer.ts", import.meta.url));
    await using peer = alder.host.spawn([Deno.execPath(), "run", "--allow-net", program, last]);
    await peer.line(/^listening$/);
    await scene.pacserve(birch, ["--peer", `http://${scene.address(alder)}:15678/`]);

    const outcome = await pacsrv(birch, "-Sy", "pebble");
    assertEquals((await peer.ended).stdout, "listening\nsaid yes\n");
    assertEquals(outcome.stderr, "");
    assertEquals(outcome.code, 0, outcome.stdout + outcome.stderr);
    assertEquals(await birch.installed(), scene.today("pebble"));
    assertEquals(await scene.fromMirror(birch), scene.signed("pebble"));
  });
}

Deno.test("relay: a peer is killed between the package and its signature", async () => {
  await using scene = await Scene.create();
  const lantern = scene.repository.package("lantern");
  const { birch, peer } = await peerAndClient(scene, lantern);
  const before = peer.program.lines.length;
  // The line is logged when the kernel has the whole package, and its end is still on the cable.
  const killed = peer.answered(/lantern[^ ]*pkg\.tar\.zst/, before).then(() => peer.kill());

  const outcome = await pacsrv(birch, "-Sy", "lantern");
  await killed;
  assertEquals(outcome.stderr, "");
  assertEquals(outcome.code, 0, outcome.stdout);
  assertEquals(await birch.installed(), scene.today("lantern"));
  assertEquals(await scene.fromMirror(birch), [`${lantern.fileName}.sig`]);
});

Deno.test("relay: a peer is killed while it sends, the mirror sends the rest, and pacman notices nothing", async () => {
  await using scene = await Scene.create();
  const glacier = scene.repository.package("glacier");
  const { birch, peer } = await peerAndClient(scene, glacier);

  const pacman = birch.startPacman(["-Sy", "glacier"], ["pacsrv"]);
  await using _ = pacman;
  await eventually("the peer has sent a part of the package", async () => {
    const [statistics] = JSON.parse(
      await peer.machine.host.must(["ip", "-json", "-statistics", "link", "show", "eth0"]),
    ) as [{ stats64: { tx: { bytes: number } } }];
    return statistics.stats64.tx.bytes > 1024 * 1024;
  });
  await peer.kill();

  const outcome = await pacman.ended;
  assertEquals(outcome.stderr, "");
  assertEquals(outcome.code, 0, outcome.stdout);
  assertEquals(await birch.installed(), scene.today("glacier"));
  const [rest] = (await scene.mirror.requests()).filter(({ method, file }) =>
    method === "GET" && file === glacier.fileName
  );
  assertMatch(rest?.range ?? "", /^bytes=\d+-$/);
  assert(rest !== undefined && rest.bytes < glacier.size, "the mirror sent the whole package");
});

Deno.test("relay: a peer has no signature, and only that comes from the mirror", async () => {
  await using scene = await Scene.create();
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  const harbour = scene.repository.package("harbour");
  await alder.cachePackages([harbour], { signatures: false });
  await scene.meet(await scene.pacserve(alder), await scene.pacserve(birch));

  const outcome = await pacsrv(birch, "-Sy", "harbour");
  assertEquals(outcome.stderr, "");
  assertEquals(outcome.code, 0, outcome.stdout);
  assertEquals(await birch.installed(), scene.today("harbour"));
  assertEquals(await scene.fromMirror(birch), [`${harbour.fileName}.sig`]);
});

Deno.test("relay: a peer has a broken copy, and pacman gets the correct one from the mirror in the same run", async () => {
  await using scene = await Scene.create();
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  const pebble = scene.repository.package("pebble");
  await alder.cachePackages([pebble]);
  const copy = alder.host.path(`${cache}/${pebble.fileName}`);
  const bytes = await Deno.readFile(copy);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0xff;
  await Deno.writeFile(copy, bytes);
  await scene.meet(await scene.pacserve(alder), await scene.pacserve(birch));

  const outcome = await pacsrv(birch, "-Sy", "pebble");
  assertEquals(outcome.stderr, "");
  assertEquals(outcome.code, 0, outcome.stdout);
  assertEquals(await birch.installed(), scene.today("pebble"));
  assertEquals(await scene.fromMirror(birch), scene.signed("pebble"));
});

Deno.test("--peer: five static peers that do not answer delay a request by less than half a second", async () => {
  await using scene = await Scene.create();
  const birch = await scene.machine("birch");
  // Two addresses without a host, and three ports that accept connections but never answer.
  const silent = await scene.lan.host("silent");
  const ports = [4001, 4002, 4003];
  const listeners = ports.map((port) => `TCPServer(("", ${port}), BaseRequestHandler)`).join(", ");
  await using mute = silent.spawn([
    "python3",
    "-uc",
    `import time
from socketserver import TCPServer, BaseRequestHandler
servers = [${listeners}]
print("listening")
time.sleep(600)`,
  ]);
  await mute.line(/^listening$/);
  const peers = [
    "http://10.20.30.201:15678/",
    "http://10.20.30.202:15678/",
    ...ports.map((port) => `http://${scene.lan.addressOf(silent)}:${port}/`),
  ];
  await scene.pacserve(birch, peers.flatMap((peer) => ["--peer", peer]));

  const address = `http://localhost:15678/pacman/core/x86_64/${
    scene.repository.package("pebble").fileName
  }`;
  const answer = await birch.host.must([
    ...["curl", "-sS", "-L", "-o", "/dev/null"],
    ...["-w", "%{http_code} %{time_starttransfer}", address],
  ]);
  const [status, seconds] = answer.split(" ");
  assertEquals(status, "200");
  assert(Number(seconds) < 0.5, `first byte after ${seconds} s`);
});

Deno.test("--multicast: a peer that was away is used as soon as it announces itself", async () => {
  await using scene = await Scene.create();
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  const { fileName } = scene.repository.package("pebble");
  await alder.cachePackages([scene.repository.package("pebble")]);
  const first = await scene.pacserve(alder);
  await scene.meet(first, await scene.pacserve(birch));
  const source = (): Promise<string> =>
    // Ask as a host without pacserve does, because a second request of pacman on this host is treated
    // differently.
    alder.host.must([
      ...["curl", "-s", "-o", "/dev/null", "-w", "%{redirect_url}"],
      `http://${scene.address(birch)}:15678/pacman/core/x86_64/${fileName}`,
    ]);
  const onPeer = `http://${scene.address(alder)}:15678/`;
  const onMirror = `http://${scene.lan.addressOf(scene.mirror.host)}/`;
  assertStringIncludes(await source(), onPeer);
  await first.kill();
  assertStringIncludes(await source(), onMirror);

  // There is no search meanwhile: birch probes it because of the announcement.
  const second = await scene.pacserve(alder);
  await second.program.line(new RegExp(`^${scene.address(birch)} .*"POST / HTTP`));
  await eventually("the peer is used", async () => (await source()).startsWith(onPeer), 1000);
});
