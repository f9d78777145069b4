/** pacredir hosts and pacserve hosts serve each other. pacredir uses multicast DNS by systemd-resolved. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { type ArchMachine, cache } from "../lan/arch.ts";
import { eventually, type RunningProgram } from "../lan/process.ts";
import { pacsrv, Scene } from "../lan/scene.ts";
import { Daemons } from "./daemons.ts";

const PORT = 7078;

/** `ID` of this machine's os-release, which is also that of the hosts. */
function distribution(): string {
  return /^ID="?([\w.-]+)"?$/m.exec(Deno.readTextFileSync("/etc/os-release"))?.[1] ?? "linux";
}

async function startServer({ host }: ArchMachine): Promise<RunningProgram> {
  const script = new URL("pacredir_server.ts", import.meta.url).pathname;
  const server = host.spawn([Deno.execPath(), "run", "-A", "--quiet", script]);
  await server.line(/^listening$/);
  return server;
}

Deno.test("pacredir: pacman on our machine gets packages from a pacredir host, which gets only HEAD and GET requests", async () => {
  await using scene = await Scene.create();
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  await birch.cachePackages([scene.repository.package("pebble")]);
  await using daemons = await Daemons.on(birch.host, distribution());
  await using server = await startServer(birch);
  await daemons.resolved(PORT);
  const ours = await scene.pacserve(alder, ["--mdns"]);
  const peer = `http://${scene.address(birch)}:${PORT}`;
  await ours.program.line(new RegExp(`found peer ${peer}/`));
  const outcome = await pacsrv(alder, "-Sy", "pebble");
  assertEquals([outcome.code, outcome.stderr], [0, ""], outcome.stdout);
  const fetched = await scene.fromMirror(alder);
  assert(!fetched.some((file) => file.endsWith(".zst")), fetched.join());
  const methods = new Set(server.lines.map((line) => line.split(" ")[0]));
  assertEquals([...methods].sort(), ["GET", "HEAD", "listening"]);
  // Databases come from mirrors.
  assert(!server.output.includes(".db"), server.output);
});

Deno.test("pacredir: a host with another distribution is not used", async () => {
  await using scene = await Scene.create();
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  await using daemons = await Daemons.on(birch.host, "other");
  await using server = await startServer(birch);
  await daemons.resolved(PORT);
  // A pacserve on the same host is found in the same way.
  await scene.pacserve(birch, ["--mdns"]);
  const ours = await scene.pacserve(alder, ["--mdns"]);
  await ours.knows(scene.address(birch));
  assert(!ours.program.output.includes(`:${PORT}/`), ours.program.output);
  assertEquals(server.lines, ["listening"]);
});

Deno.test("pacredir: a pacredir host finds our server and gets packages and signatures from it", async () => {
  await using scene = await Scene.create();
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  const pebble = scene.repository.package("pebble").fileName;
  await alder.cachePackages([scene.repository.package("pebble")]);
  await scene.pacserve(alder, ["--mdns"]);
  await using daemons = await Daemons.on(birch.host);
  await daemons.resolved();
  const text = await eventually("resolved finds the server", async () => {
    const text = await daemons.resolvectl("pacserve on alder");
    return text.includes(":15678") && text;
  });
  // pacredir uses no other server.
  assertStringIncludes(text, `id=${distribution()}\n`);
  assertMatch(text, /arch=x86_64\n/);
  const target = /: (\S+:15678) /.exec(text)?.[1] ?? "";
  const ask = async (file: string, method: string): Promise<string> => {
    const url = `http://${scene.address(alder)}:15678/pkg/${file}`;
    const format = ["-w", "%{http_code} %header{content-length}"];
    const options = method === "HEAD" ? ["-I"] : [];
    return await birch.host.must(
      ["curl", "-s", "-m", "2", "-L", "-o", "/dev/null", ...options, ...format]
        .concat(["-H", `Host: ${target}`, url]),
    );
  };
  for (const file of [pebble, `${pebble}.sig`]) {
    const { size } = await Deno.stat(alder.host.path(`${cache}/${file}`));
    assertEquals(await ask(file, "HEAD"), `200 ${size}`);
    assertEquals(await ask(file, "GET"), `200 ${size}`);
  }
  assertMatch(await ask("nobody-has-this-1-1-any.pkg.tar.zst", "HEAD"), /^404 /);
});
