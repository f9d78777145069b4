/**
 * Tests our program together with the original on one LAN. It needs root: each machine is a separate
 * host with real pacman.
 */

import { fileURLToPath } from "node:url";
import { assert, assertEquals } from "../assert.ts";
import { type ArchMachine, cache, pacserveServer } from "../lan/arch.ts";
import type { RunningProgram } from "../lan/process.ts";
import { pacsrv, Scene } from "../lan/scene.ts";

const PROGRAM = fileURLToPath(new URL("original.py", import.meta.url));

/** Starts the original on a machine; it shares pacman's cache there. */
async function startOriginal(
  { host }: ArchMachine,
  port = 15678,
  options: readonly string[] = [],
): Promise<RunningProgram> {
  const original = host.spawn(["python3", PROGRAM, ...options, String(port), cache]);
  await original.line(/^listening$/);
  return original;
}

for (const first of ["the original", "ours"]) {
  Deno.test(`discovery: the original and ours find each other when ${first} starts first`, async () => {
    await using scene = await Scene.create();
    const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
    const early = first === "ours" ? await scene.pacserve(birch) : null;
    // Wait until the first announcement is over, so that it cannot help the server that starts second.
    await early?.program.line(/^Pacserve /);
    await using original = await startOriginal(alder, 15699);
    const ours = early ?? await scene.pacserve(birch);

    await ours.program.line(
      new RegExp(`found peer http://${scene.address(alder)}:15699/`),
      0,
      3000,
    );
    await original.line(new RegExp(`^(announced|nudged by) ${scene.address(birch)}:15678$`));
    assert(!original.output.includes("dropped"), original.output);
    assert(!original.output.includes("no answer"), original.output);
  });
}

for (const again of ["the original", "ours"]) {
  Deno.test(`discovery: the original and ours find each other again at once when ${again} restarts`, async () => {
    await using scene = await Scene.create();
    const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
    const first = await startOriginal(alder, 15699);
    const ours = await scene.pacserve(birch);
    const found = new RegExp(`found peer http://${scene.address(alder)}:15699/`);
    const known = new RegExp(`^(announced|nudged by) ${scene.address(birch)}:15678$`);
    await ours.program.line(found, 0, 3_000);
    await first.line(known);
    if (again === "ours") {
      await ours.kill();
      await (await scene.pacserve(birch)).program.line(found, 0, 3_000);
      await first.kill();
    } else {
      await first.kill();
      await using second = await startOriginal(alder, 15699);
      await second.line(known, 0, 3_000);
    }
  });
}

for (const options of [[], ["--no-head"]]) {
  const kind = options.join(" ");
  Deno.test(`pacserve: pacman on our machine gets packages from the original ${kind}`, async () => {
    await using scene = await Scene.create();
    const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
    const [harbour, meadow] = ["harbour", "meadow@home"].map((name) =>
      scene.repository.package(name)
    );
    assert(harbour !== undefined && meadow !== undefined);
    await alder.cachePackages([harbour, meadow]);
    await using original = await startOriginal(alder, 15678, options);
    await (await scene.pacserve(birch)).knows(scene.address(alder));

    const outcome = await pacsrv(birch, "-Sy", "harbour", "meadow@home");
    assertEquals(outcome.stderr, "");
    assertEquals(outcome.code, 0, outcome.stdout);
    assertEquals(await birch.installed(), scene.today("harbour", "meadow@home"));
    // Signatures always come from mirrors.
    const signatures = scene.signatures("harbour", "meadow@home");
    assertEquals(await scene.fromMirror(birch), signatures);
    const sent = original.lines.filter((line) => line.startsWith("sent")).sort();
    assertEquals(sent, [harbour, meadow].map(({ fileName }) => `sent /pkg/${fileName}`).sort());
  });
}

Deno.test("pacserve: pacman on the original's machine gets packages from ours", async () => {
  await using scene = await Scene.create();
  const alder = await scene.machine("alder", { mirrors: [pacserveServer(), scene.mirror.server] });
  const birch = await scene.machine("birch");
  await birch.cachePackages(["harbour", "kelp"].map((name) => scene.repository.package(name)));
  await using original = await startOriginal(alder);
  const ours = await scene.pacserve(birch);
  await original.line(new RegExp(`^(announced|nudged by) ${scene.address(birch)}:15678$`));
  await ours.knows(scene.address(alder));

  const outcome = await alder.pacman(["-Sy", "harbour", "kelp"]);
  assertEquals(outcome.code, 0, outcome.stdout + outcome.stderr);
  assertEquals(await alder.installed(), scene.today("harbour", "kelp"));
  assertEquals(await scene.fromMirror(alder), []);
});

Deno.test("--list-remote: the original and ours list each other's packages", async () => {
  await using scene = await Scene.create();
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  const [kelp, harbour] = [
    scene.repository.package("kelp"),
    scene.repository.package("harbour"),
  ];
  await alder.cachePackages([kelp], { signatures: false });
  await birch.cachePackages([harbour], { signatures: false });
  await using _ = await startOriginal(alder);
  const ours = await scene.pacserve(birch, ["--multicast", "--list-remote"]);
  await ours.knows(scene.address(alder));

  const page = await birch.host.must([
    "curl",
    "-sf",
    "http://localhost:15678/pkg/?mimetype=text/plain",
  ]);
  assert(page.includes(kelp.fileName) && page.includes(harbour.fileName), page);
  const question = JSON.stringify({ type: "directory listing", path: "/pkg/", hops: 0 });
  const answer = await alder.host.must([
    ...["curl", "-sf", "--data", `json=${encodeURIComponent(question)}`],
    `http://${scene.address(birch)}:15678/`,
  ]);
  const listing = JSON.parse(answer) as Record<string, Record<string, unknown>[]>;
  assertEquals(Object.keys(listing), [harbour.fileName]);
  const [entry] = listing[harbour.fileName] ?? [];
  assertEquals(entry?.["href"], `/pkg/${harbour.fileName}`);
  assertEquals(entry?.["size"], harbour.size);
  assertEquals(entry?.["dir"], false);
});
