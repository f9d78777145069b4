/** Other events for a relay: other programs than pacman download, pacman is stopped, the server ends. */

import { assert, assertEquals } from "../assert.ts";
import { type ArchMachine, cache } from "./arch.ts";
import { eventually, run } from "./process.ts";
import { pacsrv, Scene } from "./scene.ts";

const CONFIGURATION = "/etc/pacman.conf";
const SPOOLS = "/var/cache/spools";

const downloaders = {
  curl: "/usr/bin/curl -sSL -C - -f -o %o %u",
  wget: "/usr/bin/wget -q --passive-ftp -c -O %o %u",
  aria2c: "/usr/bin/aria2c -q --allow-overwrite=true -c --file-allocation=none -s 4 -x 4 " +
    "--min-split-size=1M --log-level=error -d / -o %o %u",
};

/** Changes pacman.conf. */
async function edit(machine: ArchMachine, line: string): Promise<void> {
  const text = await Deno.readTextFile(machine.host.path(CONFIGURATION));
  await machine.host.write(CONFIGURATION, text.replace("[options]\n", `[options]\n${line}\n`));
}

async function assertSame(scene: Scene, machine: ArchMachine, name: string): Promise<void> {
  const each = scene.repository.package(name);
  const path = machine.host.path(`${cache}/${each.fileName}`);
  await scene.mirror.host.must(["cmp", path, scene.repository.file(each)]);
  assertEquals((await machine.cached()).filter((file) => file.endsWith(".part")), []);
}

for (const [name, command] of Object.entries(downloaders)) {
  // The system with Arch's programs has only curl. These programs do not depend on pacman's version.
  const { code } = await run(["sh", "-c", `command -v ${name}`]);
  Deno.test({
    name: `XferCommand: ${name} downloads packages of a peer and of the mirror`,
    ignore: code !== 0,
    fn: async () => {
      await using scene = await Scene.create();
      const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
      await alder.cachePackages([scene.repository.package("glacier")]);
      await edit(birch, `XferCommand = ${command}`);
      await scene.meet(await scene.pacserve(alder), await scene.pacserve(birch));
      const { code, stdout, stderr } = await pacsrv(birch, "-Sy", "glacier", "harbour");
      assertEquals([code, stderr], [0, ""], stdout);
      assertEquals(await birch.installed(), scene.today("glacier", "harbour"));
      await assertSame(scene, birch, "glacier");
      await assertSame(scene, birch, "harbour");
      const sent = await scene.fromMirror(birch);
      assert(sent.includes(scene.repository.package("harbour").fileName));
    },
  });
}

for (const from of ["a peer", "the mirror"]) {
  Deno.test(`relay: after Ctrl-C during a download from ${from}, the next run continues`, async () => {
    await using scene = await Scene.create();
    const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
    const glacier = scene.repository.package("glacier");
    const peer = await scene.pacserve(alder);
    const server = await scene.pacserve(birch, ["--multicast", "--search-timeout", "3000"]);
    if (from === "a peer") await alder.cachePackages([glacier]);
    await scene.meet(peer, server);
    assertEquals((await pacsrv(birch, "-Sy")).code, 0);
    const words = ["tbf", "rate", "24mbit", "burst", "64kb", "latency", "400ms"];
    for (const { host } of [alder, scene.mirror]) {
      await host.must(["tc", "qdisc", "add", "dev", "eth0", "root", ...words]);
    }
    // A terminal sends the signal to the whole process group.
    const command = ["setsid", "pacsrv", "-Sw", "--noconfirm", "glacier"];
    const running = birch.host.spawn(command, { environment: { LC_ALL: "C" } });
    await using _ = running;
    const counted = from === "a peer" ? alder.host : scene.mirror.host;
    await eventually("a part of the package has been sent", async () => {
      const [statistics] = JSON.parse(
        await counted.must(["ip", "-json", "-statistics", "link", "show", "eth0"]),
      ) as [{ stats64: { tx: { bytes: number } } }];
      return statistics.stats64.tx.bytes > 4 * 1024 * 1024;
    });
    await birch.host.must(["kill", "-INT", "--", `-${running.pid}`]);
    assertEquals((await running.ended).code, 130);
    const before = server.program.lines.length;
    const { code, stdout, stderr } = await pacsrv(birch, "-Sw", "glacier");
    assertEquals([code, stderr], [0, ""], stdout);
    await assertSame(scene, birch, "glacier");
    // The file was downloaded only once, whichever part was kept.
    const sent = (await scene.mirror.requests()).filter(({ method, file }) =>
      method === "GET" && file === glacier.fileName
    );
    const bytes = sent.reduce((sum, each) => sum + each.bytes, 0);
    assert(bytes < 1.2 * glacier.size, `the mirror sent ${bytes} bytes: ${JSON.stringify(sent)}`);
    assert(server.program.lines.length > before);
  });
}

Deno.test("relay: an unchanged database is not sent again", async () => {
  await using scene = await Scene.create();
  const birch = await scene.machine("birch");
  await scene.pacserve(birch);
  assertEquals((await pacsrv(birch, "-Sy")).code, 0);
  const { code, stdout, stderr } = await pacsrv(birch, "-Sy");
  assertEquals([code, stderr], [0, ""]);
  const sent = (await scene.mirror.requests()).filter(({ method, file }) =>
    method === "GET" && file.endsWith(".db")
  );
  assertEquals(sent.map(({ status }) => status).sort(), [200, 200, 304, 304], stdout);
});

Deno.test("relay: a worker that is replaced during a download finishes it", async () => {
  await using scene = await Scene.create();
  const birch = await scene.machine("birch");
  const server = await scene.pacserve(birch);
  assertEquals((await pacsrv(birch, "-Sy")).code, 0);
  const words = ["tbf", "rate", "32mbit", "burst", "64kb", "latency", "400ms"];
  await scene.mirror.host.must(["tc", "qdisc", "add", "dev", "eth0", "root", ...words]);
  const running = birch.startPacman(["-Sw", "glacier"], ["pacsrv"]);
  await using _ = running;
  const { fileName } = scene.repository.package("glacier");
  await eventually("the transfer has begun", async () => await birch.downloaded(fileName) > 0);
  const before = server.program.lines.length;
  await birch.host.must(["mkdir", "/srv/second"]);
  await edit(birch, `CacheDir = ${cache}\nCacheDir = /srv/second`);
  await server.program.line(/the configuration was read again/, before);
  const between = server.program.lines.slice(before);
  assert(between.every((line) => !/"GET .*glacier[^" ]*zst HTTP/.test(line)), "it ended too early");
  const { code, stdout, stderr } = await running.ended;
  assertEquals([code, stderr], [0, ""], stdout);
  await assertSame(scene, birch, "glacier");
  const sent = (await scene.mirror.requests()).filter(({ method, file }) =>
    method === "GET" && file === fileName
  );
  assertEquals(sent.length, 1);
});

Deno.test("relay: kill -9 leaves nothing in the spool directory, and its space is free again", async () => {
  await using scene = await Scene.create();
  const birch = await scene.machine("birch");
  await birch.host.must(["mkdir", SPOOLS]);
  const server = await scene.pacserve(birch, ["--spool-directory", SPOOLS]);
  assertEquals((await pacsrv(birch, "-Sy")).code, 0);
  const words = ["tbf", "rate", "32mbit", "burst", "64kb", "latency", "400ms"];
  await scene.mirror.host.must(["tc", "qdisc", "add", "dev", "eth0", "root", ...words]);
  const running = birch.startPacman(["-Sw", "glacier"], ["pacsrv"]);
  await using _ = running;
  await eventually("a spool is being written", async () => {
    const files = await birch.host.must(["sh", "-c", `ls -l /proc/${server.program.pid}/fd`]);
    return files.includes(SPOOLS);
  });
  await server.kill();
  const { code, stdout } = await running.ended;
  // In pacman.conf the mirror list comes after pacserve.
  assertEquals(code, 0, stdout);
  assertEquals([...Deno.readDirSync(birch.host.path(SPOOLS))], []);
  await assertSame(scene, birch, "glacier");
});
