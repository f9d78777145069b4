/** A change of pacman.conf, or of a file that it includes, is used without a restart. */

import { assert, assertEquals } from "../assert.ts";
import { type ArchMachine, cache } from "./arch.ts";
import { eventually } from "./process.ts";
import { pacsrv, Scene } from "./scene.ts";

const CONFIGURATION = "/etc/pacman.conf";

/** With this option a redirect shows the source of a file. */
const REDIRECTING = ["--multicast", "--redirect"];

/** Returns the status and `Location` of the answer that pacman would get. */
async function answer({ host }: ArchMachine, repository: string, file: string): Promise<string> {
  const output = await host.must([
    ...["curl", "-s", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}"],
    `http://localhost:15678/pacman/${repository}/x86_64/${file}`,
  ]);
  return output.trim();
}

/** Waits for an answer, at most five seconds, within which a change must be used. */
function becomes(
  machine: ArchMachine,
  repository: string,
  file: string,
  expected: string,
): Promise<true> {
  return eventually(`${file} of ${repository} is answered with ${expected}`, async () => {
    const now = await answer(machine, repository, file);
    if (now !== expected) throw new Error(now);
    return true as const;
  }, 5000);
}

Deno.test("reload: a mirror list that is edited in place, and one that is replaced", async () => {
  await using scene = await Scene.create();
  const birch = await scene.machine("birch", { mirrors: [] });
  await scene.pacserve(birch, REDIRECTING);
  const { fileName } = scene.repository.package("pebble");
  assertEquals(await answer(birch, "core", fileName), "404");

  const list = "/etc/pacman.d/mirrorlist";
  const address = scene.mirror.server.replace("$repo", "core").replace("$arch", "x86_64");
  await birch.host.write(list, `Server = ${scene.mirror.server}\n`);
  await becomes(birch, "core", fileName, `307 ${address}/${fileName}`);

  await birch.host.write(`${list}.new`, "# None today.\n");
  await birch.host.must(["mv", `${list}.new`, list]);
  await becomes(birch, "core", fileName, "404");
});

Deno.test("reload: a repository in a new file that the wildcard of an Include matches", async () => {
  await using scene = await Scene.create();
  const birch = await scene.machine("birch", { sections: "Include = /etc/pacman.d/more/*.conf\n" });
  await birch.host.must(["mkdir", "/etc/pacman.d/more", "/srv/late"]);
  await birch.host.write("/srv/late/late.db", "a database\n");
  // pacman reports an error if a wildcard matches nothing.
  await birch.host.write("/etc/pacman.d/more/early.conf", "[early]\nServer = file:///srv/early\n");
  await scene.pacserve(birch);
  assertEquals(await answer(birch, "late", "late.db"), "404");
  await birch.host.write("/etc/pacman.d/more/late.conf", "[late]\nServer = file:///srv/late\n");
  await becomes(birch, "late", "late.db", "200");
  await birch.host.must(["rm", "/etc/pacman.d/more/late.conf"]);
  await becomes(birch, "late", "late.db", "404");
});

Deno.test("reload: a new CacheDir is served, and a running transfer finishes", async () => {
  await using scene = await Scene.create();
  const birch = await scene.machine("birch", { mirrors: [] });
  const [glacier, pebble] = [
    scene.repository.package("glacier"),
    scene.repository.package("pebble"),
  ];
  await birch.cachePackages([glacier]);
  await birch.host.must(["mkdir", "/srv/more"]);
  await birch.host.must(["cp", scene.repository.file(pebble), "/srv/more"]);
  const server = await scene.pacserve(birch);
  await using download = birch.host.spawn([
    ...["curl", "-sS", "--limit-rate", "2M", "-o", "/srv/copy"],
    `http://localhost:15678/pacman/core/x86_64/${glacier.fileName}`,
  ]);
  await eventually("the transfer has begun", async () => {
    return (await Deno.stat(birch.host.path("/srv/copy"))).size > 0;
  });

  const text = await Deno.readTextFile(birch.host.path(CONFIGURATION));
  const more = text.replace(
    "[options]\n",
    `[options]\nCacheDir = ${cache}\nCacheDir = /srv/more\n`,
  );
  await birch.host.write(`${CONFIGURATION}.new`, more);
  await birch.host.must(["mv", `${CONFIGURATION}.new`, CONFIGURATION]);
  await becomes(birch, "core", pebble.fileName, "200");
  assert(server.program.lines.every((line) => !line.includes(glacier.fileName)), "ended too early");

  const { code, stderr } = await download.ended;
  assertEquals([code, stderr], [0, ""]);
  await birch.host.must(["cmp", "/srv/copy", `${cache}/${glacier.fileName}`]);
  await server.answered(/glacier/);
});

Deno.test("reload: after a change that needs a new worker, a bad copy is still not used", async () => {
  await using scene = await Scene.create();
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  const { fileName } = scene.repository.package("pebble");
  const { size } = await Deno.stat(scene.repository.file(scene.repository.package("pebble")));
  await Deno.writeFile(alder.host.path(`${cache}/${fileName}`), new Uint8Array(size));
  const [peer, server] = [await scene.pacserve(alder), await scene.pacserve(birch)];
  await scene.meet(peer, server);
  assertEquals((await pacsrv(birch, "-Sy")).code, 0);
  const asked = (): number =>
    peer.program.lines.filter((line) => line.includes(`"GET /pkg/pebble`)).length;
  assertEquals(await answer(birch, "core", fileName), "200");
  await peer.answered(/\/pkg\/pebble/);

  const text = await Deno.readTextFile(birch.host.path(CONFIGURATION));
  await birch.host.must(["mkdir", "/srv/second"]);
  const before = server.program.lines.length;
  const caches = `CacheDir = ${cache}\nCacheDir = /srv/second\n`;
  await birch.host.write(CONFIGURATION, text.replace("[options]\n", `[options]\n${caches}`));
  await server.program.line(/the configuration was read again/, before);
  assertEquals(await answer(birch, "core", fileName), "200");
  await server.program.line(/pebble.* bytes from mirror .*, verified/, before);
  assertEquals(asked(), 1);
});

Deno.test("reload: a warning about an edit that pacman would refuse, and the last valid configuration stays in force", async () => {
  await using scene = await Scene.create();
  const birch = await scene.machine("birch");
  const server = await scene.pacserve(birch, REDIRECTING);
  const text = await Deno.readTextFile(birch.host.path(CONFIGURATION));
  const before = server.program.lines.length;
  await birch.host.write(
    CONFIGURATION,
    text.replace("SigLevel    = Required", "SigLevel = Nonsense"),
  );
  await server.program.line(/\/etc\/pacman\.conf.*last valid configuration stays/, before);
  const { fileName } = scene.repository.package("pebble");
  assert((await answer(birch, "core", fileName)).startsWith("307 "));
  await birch.host.must(["mv", CONFIGURATION, "/etc/away"]);
  await server.program.line(/\/etc\/pacman\.conf.*(missing|not exist|No such)/, before);
  assert((await answer(birch, "core", fileName)).startsWith("307 "));
  // It still watches the files.
  await birch.host.write(CONFIGURATION, text.replaceAll("Include = /etc/pacman.d/mirrorlist", ""));
  await becomes(birch, "core", fileName, "404");
});

Deno.test("reload: a mistake in a file that is newly included can be corrected there", async () => {
  await using scene = await Scene.create();
  const birch = await scene.machine("birch", { mirrors: [] });
  const server = await scene.pacserve(birch);
  const text = await Deno.readTextFile(birch.host.path(CONFIGURATION));
  const file = "/srv/more.conf";
  const section = `[more]\nServer = ${scene.mirror.server}\n`;
  await birch.host.write(file, `${section}SigLevel = Nonsense\n`);
  const before = server.program.lines.length;
  await birch.host.write(CONFIGURATION, `${text}\nInclude = ${file}\n`);
  await server.program.line(/last valid configuration stays/, before);

  await birch.host.write(file, section);
  await server.program.line(/the configuration was read again/, before);
});
