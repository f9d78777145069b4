/** Tests pacsrv, mostly without a running pacserve, when it must behave like pacman. */

import { assertEquals, assertMatch, assertNotEquals } from "../assert.ts";
import type { ArchMachine } from "./arch.ts";
import { eventually, type Outcome } from "./process.ts";
import { pacsrv, Scene } from "./scene.ts";

Deno.test("pacsrv: without pacserve, output and exit status are those of pacman", async () => {
  await using scene = await Scene.create();
  const [birch, cedar] = [await scene.machine("birch"), await scene.machine("cedar")];
  const calls = [
    ["-Sy", "pebble"],
    ["-Q"],
    ["-Qi", "pebble"],
    ["-Q", "nothing-of-this-name"],
    ["-S", "nothing-of-this-name"],
    ["--no-such-option"],
    ["-Rs", "pebble"],
    ["--version"],
    [],
  ];
  for (const call of calls) {
    const [plain, wrapped] = await Promise.all([cedar.pacman(call), pacsrv(birch, ...call)]);
    const dated = /^Install Date.*$/m;
    assertEquals(
      wrapped.stdout.replace(dated, ""),
      plain.stdout.replace(dated, ""),
      call.join(" "),
    );
    assertEquals(wrapped.stderr, plain.stderr, call.join(" "));
    assertEquals(wrapped.code, plain.code, call.join(" "));
  }
});

Deno.test("pacsrv: an open port of another server than pacserve is not used", async () => {
  await using scene = await Scene.create();
  const birch = await scene.machine("birch");
  await using other = birch.host.spawn(["python3", "-um", "http.server", "15678"]);
  await other.line(/Serving HTTP/);
  const outcome = await pacsrv(birch, "-Sy", "pebble");
  assertEquals(outcome.stderr, "");
  assertEquals(await birch.installed(), scene.today("pebble"));
});

Deno.test("pacsrv: passes the standard input to pacman, and returns its exit status", async () => {
  await using scene = await Scene.create();
  const birch = await scene.machine("birch");
  await scene.pacserve(birch);
  const no = await birch.host.run(["pacsrv", "-Sy", "pebble"], { input: "n\n" });
  assertNotEquals(no.code, 0);
  assertEquals(await birch.installed(), {});
  const yes = await birch.host.run(["pacsrv", "-Sy", "pebble"], { input: "y\n" });
  assertEquals(yes.code, 0, yes.stdout + yes.stderr);
  assertEquals(await birch.installed(), scene.today("pebble"));
});

Deno.test("pacsrv --config: works with package names on standard input, and with another front end", async () => {
  await using scene = await Scene.create();
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  await alder.cachePackages(["pebble", "kelp"].map((name) => scene.repository.package(name)));
  await scene.meet(await scene.pacserve(alder), await scene.pacserve(birch));
  await birch.host.must(["mv", "/etc/pacman.conf", "/etc/other.conf"]);

  const listed = await birch.host.run(
    ["pacsrv", "-Sy", "--config=/etc/other.conf", "--noconfirm", "-"],
    { input: "pebble\n" },
  );
  assertEquals(listed.code, 0, listed.stdout + listed.stderr);
  // Signatures come from mirrors.
  assertEquals(await scene.fromMirror(birch), scene.signatures("pebble"));

  const shown = 'echo "yay $*" >> /srv/calls; exec pacman "$@"';
  await birch.host.write("/usr/bin/yay", `#!/bin/sh\n${shown}\n`);
  await Deno.chmod(birch.host.path("/usr/bin/yay"), 0o755);
  const words = ["pacsrv", "-S", "kelp", "--config", "/etc/other.conf", "--noconfirm"];
  const other = await birch.host.run(words, { environment: { PACMAN: "yay" } });
  assertEquals(other.code, 0, other.stdout + other.stderr);
  assertMatch(
    await Deno.readTextFile(birch.host.path("/srv/calls")),
    /^yay -S kelp --config \/var\/cache\/pacserve\/[^ ]+ --noconfirm\n$/,
  );
  assertEquals(await scene.fromMirror(birch), scene.signatures("kelp", "pebble"));
  const installed = await birch.host.must(["pacman", "-Q", "--config", "/etc/other.conf"]);
  const expected = Object.entries(scene.today("kelp", "pebble"));
  assertEquals(installed, expected.map((each) => `${each.join(" ")}\n`).join(""));
});

Deno.test("pacsrv: Ctrl-C during a download has the same effect as with pacman", async () => {
  await using scene = await Scene.create();
  const [birch, cedar] = [await scene.machine("birch"), await scene.machine("cedar")];
  await scene.pacserve(birch);
  const slow = ["tbf", "rate", "40mbit", "burst", "64kb", "latency", "400ms"];
  await scene.mirror.host.must(["tc", "qdisc", "add", "dev", "eth0", "root", ...slow]);
  const { fileName } = scene.repository.package("glacier");
  const interrupt = async (machine: ArchMachine, program: string): Promise<Outcome> => {
    await using running = machine.startPacman(["-Sy", "glacier"], ["setsid", program]);
    await eventually("the download has begun", async () => {
      return await machine.downloaded(fileName) > 65536;
    });
    // A terminal sends Ctrl-C to all processes in it.
    Deno.kill(-running.pid, "SIGINT");
    return await running.ended;
  };
  const plain = await interrupt(cedar, "pacman");
  const wrapped = await interrupt(birch, "pacsrv");
  assertNotEquals(wrapped.code, 0);
  assertEquals(wrapped.code, plain.code);
  assertEquals(wrapped.stderr, plain.stderr);
  // The lock was removed and the partial file was kept, so the next run can continue.
  await scene.mirror.host.must(["tc", "qdisc", "del", "dev", "eth0", "root"]);
  assertEquals((await pacsrv(birch, "-S", "glacier")).code, 0);
  assertEquals(await birch.installed(), scene.today("glacier"));
});
