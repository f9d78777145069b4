/**
 * The number of requests that a neighbour can make a server send to mirrors and peers. The test needs
 * root for its hosts.
 */

import { assert, assertEquals } from "../assert.ts";
import type { Host } from "../lan/host.ts";
import { Network } from "../lan/network.ts";
import { programCommand } from "../lan/pacserve.ts";
import { eventually, type RunningProgram } from "../lan/process.ts";

const script = (name: string, ...rest: string[]): string[] => {
  const path = new URL(name, import.meta.url).pathname;
  const configuration = new URL("../../deno.json", import.meta.url).pathname;
  return [Deno.execPath(), "run", "-A", "--quiet", `--config=${configuration}`, path, ...rest];
};

interface Heads {
  readonly mirror: number;
  readonly peer: number;
}

async function headsAt(witness: RunningProgram): Promise<Heads> {
  const before = witness.lines.length;
  witness.signal("SIGUSR1");
  return JSON.parse(await witness.line(/^\{/, before));
}

/** The number of replies by their status. */
async function ask(host: Host, ...words: string[]): Promise<Record<string, number>> {
  return JSON.parse(await host.must(script("neighbour.ts", ...words)));
}

/** The number of requests that a neighbour may cause at once, and then in a second. */
const [BURST, PER_SECOND] = [600, 10];

Deno.test("bounds: a neighbour can cause 600 requests to mirrors and peers, and others are still served", async () => {
  await using lan = await Network.create();
  const [alder, birch] = [await lan.host("alder"), await lan.host("birch")];
  const [enemy, honest] = [await lan.host("elder"), await lan.host("cedar")];
  await using witness = birch.spawn(script("witness.ts"));
  await witness.line(/^listening$/);
  const elsewhere = `http://${lan.addressOf(birch)}:8080/`;
  await alder.write(
    "/srv/pacman.conf",
    `[options]\nArchitecture = x86_64\n[core]\nServer = ${elsewhere}mirror\n`,
  );
  const patient = ["--search-timeout", "5000"];
  const options = ["--pacman-conf", "/srv/pacman.conf", "--peer", elsewhere, ...patient];
  await using server = alder.spawn([...programCommand("pacserve"), "--verbose", ...options]);
  await server.line(/^Pacserve /, 0, 20_000);
  const base = `http://${lan.addressOf(alder)}:15678/`;

  const start = performance.now();
  const limit = (): number => BURST + PER_SECOND * (performance.now() - start) / 1000 + 1;
  assertEquals(await ask(enemy, base, "hops", "30", "85"), { 200: 30 });
  const { peer } = await headsAt(witness);
  // The peer has each file that is searched, and a HEAD confirms it unless the peer was slow.
  assert(peer > 100 && peer <= limit(), `${peer} HEADs`);

  const statuses = await ask(enemy, base, "get", "3000", "absent");
  const { mirror } = await headsAt(witness);
  assert(mirror >= BURST && mirror <= limit(), `${mirror} HEADs`);
  // Beyond the limit the neighbour is redirected to the mirror.
  assertEquals([statuses["307"], statuses["404"]], [3000 - mirror, mirror]);

  // The neighbour requests 300 packages with their signatures, all of which the mirror has.
  assertEquals(await ask(honest, base, "get", "600", "has"), { 307: 600 });
  assertEquals((await headsAt(witness)).mirror, mirror + 600);
  const served = await eventually("all its requests are in the log", () => {
    const lines = server.lines.filter((line) => line.startsWith(lan.addressOf(honest)));
    return Promise.resolve(lines.length === 600 && lines);
  });
  assertEquals(served.filter((line) => line.includes("not verified")), []);
  // pacman on this host has no such limit.
  const own = await ask(alder, "http://127.0.0.1:15678/", "get", "700", "own-absent");
  assertEquals(own, { 404: 700 });
});
