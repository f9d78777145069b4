/** Real pacman must notice nothing if a peer or a mirror has one of the faults of `tests/relay/`. */

import { fileURLToPath } from "node:url";
import { assertEquals } from "../assert.ts";
import { faults } from "../relay/hostile_source.ts";
import { type ArchMachine, cache } from "./arch.ts";
import type { Host } from "./host.ts";
import { pacsrv, Scene } from "./scene.ts";

/** Number of machines that upgrade in parallel. */
const MACHINES = 2;

/** Faults before the first byte of the body look the same to pacman, so only one of them is tested. */
const tested = faults.map(([name]) => name).filter((name) =>
  !/^answers [2345]|resets at/.test(name)
);

for (const role of ["peer", "mirror"] as const) {
  Deno.test(`relay: pacman does not notice that a ${role} fails, in ${tested.length} ways`, async (t) => {
    await using scene = await Scene.create();
    const hostile = await scene.lan.host("hostile");
    const problems = new Map<string, string>();
    const queue = [...tested.entries()];
    const work = async (number: number): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const [index, fault] = next;
        const machine = await scene.machine(
          `m${number}-${index}`,
          optionsOf(scene, hostile, role, index),
        );
        const problem = await problemOf(scene, machine, hostile, role, fault, 20_000 + index);
        if (problem !== null) problems.set(fault, problem);
      }
    };
    await Promise.all(Array.from({ length: MACHINES }, (_, number) => work(number)));
    for (const fault of tested) {
      await t.step(`a ${role} ${fault}`, () => assertEquals(problems.get(fault), undefined));
    }
  });
}

function urlOf(scene: Scene, hostile: Host, port: number): string {
  return `http://${scene.lan.addressOf(hostile)}:${port}/`;
}

function optionsOf(
  scene: Scene,
  hostile: Host,
  role: "peer" | "mirror",
  index: number,
): { readonly mirrors?: readonly string[] } {
  return role === "peer"
    ? {}
    : { mirrors: [`${urlOf(scene, hostile, 20_000 + index)}$repo`, scene.mirror.server] };
}

/** Returns the output of pacman that must not occur; null if all is well. */
async function problemOf(
  scene: Scene,
  machine: ArchMachine,
  hostile: Host,
  role: "peer" | "mirror",
  fault: string,
  port: number,
): Promise<string | null> {
  const program = fileURLToPath(new URL("hostile_server.ts", import.meta.url));
  const pool = `${scene.repository.directory}/pool`;
  const command = ["run", "--no-check", "-A", program, String(port), pool, fault];
  await using server = hostile.spawn([Deno.execPath(), ...command]);
  await server.line(/^listening$/);
  const peer = role === "peer"
    ? ["--peer", urlOf(scene, hostile, port), "--search-timeout", "3000"]
    : [];
  const pacserve = await scene.pacserve(machine, peer);
  if (role === "peer" && fault !== "refuses connections") {
    await server.line(/^greeted$/, 0, 20_000);
  }
  const { code, stdout, stderr } = await pacsrv(machine, "-Syw", "glacier", "pebble");
  const log = pacserve.program.lines.join("\n");
  await pacserve.stop();
  if (code !== 0 || stderr !== "") return `${code} ${stderr}${stdout}\n${log}`;
  if (fault !== "refuses connections") {
    const wasAsked = await server.line(/^asked for/, 0, 5_000).catch(() => null);
    if (wasAsked === null) return `no request arrived\n${log}`;
  }
  const left = [...Deno.readDirSync(machine.host.path(cache))].map(({ name }) => name);
  const parts = left.filter((name) => name.endsWith(".part"));
  return parts.length > 0 ? `${parts} is left` : null;
}
