/** Tests that real pacman does not notice the faults of `tests/relay/` of a peer or a mirror. */

import { fileURLToPath } from "node:url";
import { assertEquals } from "../assert.ts";
import { faults } from "../relay/hostile_source.ts";
import { type ArchMachine, cache } from "./arch.ts";
import type { Host } from "./host.ts";
import { pacsrv, Scene } from "./scene.ts";

/** Number of machines that upgrade at the same time. */
const MACHINES = 2;

/** The tested faults. Of those that send no byte of the body, a few are enough with real pacman. */
const tested = faults.map(([name]) => name).filter((name) =>
  !/^answers [2345]|resets at/.test(name)
);

for (const role of ["peer", "mirror"] as const) {
  Deno.test(`Relay: real pacman does not notice ${tested.length} faults of a ${role}`, async (t) => {
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

/** Returns the errors of pacman, and other problems; null when there are none. */
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
  const wasAsked = server.lines.some((line) => line.startsWith("asked for"));
  if (!wasAsked && fault !== "refuses connections") return `no request arrived\n${log}`;
  const left = [...Deno.readDirSync(machine.host.path(cache))].map(({ name }) => name);
  const parts = left.filter((name) => name.endsWith(".part"));
  return parts.length > 0 ? `${parts} is left` : null;
}
