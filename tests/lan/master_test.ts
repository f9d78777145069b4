/** The master machine: one machine decides when the others upgrade. */

import { assertEquals } from "../assert.ts";
import { pacserveServer } from "./arch.ts";
import { eventually } from "./process.ts";
import { pacsrv, Scene } from "./scene.ts";

const filelist = "/etc/pacserve-filelist.json";
const options = ["--multicast", "--filelist", filelist];

Deno.test("master: the others use its databases, and its own pacman gets new ones", async () => {
  await using scene = await Scene.create("yesterday");
  const master = await scene.machine("master");
  await master.host.write(filelist, '{"pkg": ["/var/lib/pacman/sync"]}\n');
  await scene.pacserve(master, options);
  const birch = await scene.machine("birch", {
    mirrors: [pacserveServer(scene.address(master))],
  });
  assertEquals((await pacsrv(master, "-Sy", "harbour")).stderr, "");

  // The mirror gets a new release. Nothing changes for the others until the master upgrades.
  await scene.mirror.publish("today");
  const first = await birch.pacman(["-Syu", "harbour"]);
  assertEquals(first.stderr, "");
  assertEquals(await birch.installed(), { harbour: "1:3.0-1" });
  assertEquals(await scene.mirror.fetchedBy(birch.host), []);

  const update = await pacsrv(master, "-Syu");
  assertEquals(update.stderr, "");
  assertEquals(await master.installed(), scene.today("harbour"));

  const second = await birch.pacman(["-Syu"]);
  assertEquals(second.stderr, "");
  assertEquals(await birch.installed(), scene.today("harbour"));
  assertEquals(await scene.mirror.fetchedBy(birch.host), []);
});

Deno.test("master: an unchanged database is not sent again", async () => {
  await using scene = await Scene.create();
  const master = await scene.machine("master");
  await master.host.write(filelist, '{"pkg": ["/var/lib/pacman/sync"]}\n');
  const server = await scene.pacserve(master, options);
  await pacsrv(master, "-Sy");
  const birch = await scene.machine("birch", {
    mirrors: [pacserveServer(scene.address(master))],
  });
  await birch.pacman(["-Sy"]);
  const before = server.program.lines.length;
  const again = await birch.pacman(["-Sy"]);
  assertEquals(again.stderr, "");
  const statuses = await eventually("both requests are in the log", () => {
    const found = server.program.lines.slice(before)
      .flatMap((line) => /"GET [^"]*\.db HTTP\/1\.1" (\d+)/.exec(line)?.[1] ?? []);
    return found.length >= 2 && found;
  });
  assertEquals(statuses, ["304", "304"]);
});

Deno.test("--trust-pacserve-peers: databases of peers are used, and without the option they are not", async () => {
  await using scene = await Scene.create("yesterday");
  const master = await scene.machine("master");
  await master.host.write(filelist, '{"pkg": ["/var/lib/pacman/sync"]}\n');
  const masterServer = await scene.pacserve(master, options);
  await pacsrv(master, "-Sy");
  await scene.mirror.publish("today");
  const [birch, cedar] = [await scene.machine("birch"), await scene.machine("cedar")];
  await scene.meet(
    await scene.pacserve(birch, ["--multicast", "--trust-pacserve-peers"]),
    masterServer,
  );
  await scene.meet(await scene.pacserve(cedar), masterServer);

  assertEquals((await pacsrv(birch, "-Sy")).stderr, "");
  assertEquals((await pacsrv(cedar, "-Sy")).stderr, "");
  assertEquals(await scene.mirror.fetchedBy(birch.host), []);
  assertEquals(await scene.mirror.fetchedBy(cedar.host), [
    "core.db",
    "core.db.sig",
    "extra.db",
    "extra.db.sig",
  ]);
});
