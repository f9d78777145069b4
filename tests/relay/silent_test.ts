/** Tests that an honest source is used before pacman gives up, however many silent sources come first. */

import { Buffer } from "node:buffer";
import { assertEquals } from "../assert.ts";
import { type Behaviour, head, honest } from "./hostile_source.ts";
import { bytes, Scene, type SceneParts } from "./scene.ts";
import { download } from "./strict_client.ts";

/** The numbers of silent sources before the honest one. */
const COUNTS = [1, 2, 3, 4, 5, 6];

const file = bytes(300 * 1024 + 7);

const never = (): Promise<void> => new Promise(() => {});
const neverAnswers: Behaviour = never;
const neverBegins: Behaviour = (connection, asked, { length }) =>
  head(connection, asked, length).then(never);
const closesLate: Behaviour = () => new Promise((resolve) => setTimeout(resolve, 1_900));

/** Sends the first byte after 4.5 seconds. */
const slow: Behaviour = async (connection, asked, right) => {
  await new Promise((resolve) => setTimeout(resolve, 4_500));
  await honest(connection, asked, right);
};

type Place = readonly [name: string, parts: (silent: readonly Behaviour[]) => Partial<SceneParts>];

const places: readonly Place[] = [
  ["mirrors", (silent) => ({ mirrors: [...silent, slow] })],
  ["peers before a mirror", (silent) => ({ peers: silent, mirrors: [slow] })],
  ["as many peers and mirrors", (silent) => ({ peers: silent, mirrors: [...silent, slow] })],
  ["peers before a peer", (silent) => ({ peers: [...silent, slow] })],
];

const silences: readonly (readonly [string, Behaviour])[] = [
  ["never answer", neverAnswers],
  ["never begin after their heads", neverBegins],
  ["close after 1.9 s", closesLate],
];

Deno.test("Relay: one to six silent sources before a slow one do not make pacman give up", async (t) => {
  const cases = silences.flatMap(([how, behaviour]) =>
    places.flatMap(([who, parts]) =>
      COUNTS.map((count) => ({
        name: `${count} ${who} that ${how}`,
        parts: { file, ...parts(Array.from({ length: count }, () => behaviour)) },
      }))
    )
  );
  const problems = new Map<string, string>();
  await Promise.all(cases.map(async ({ name, parts }) => {
    await Scene.with(parts, async (scene) => {
      try {
        const { status, body } = await download(scene.port, "/file", file.length);
        if (status !== 200) problems.set(name, `${status}`);
        else if (Buffer.compare(body, file) !== 0) problems.set(name, "other bytes");
      } catch (error) {
        problems.set(name, `${error}; ${scene.log.join(" | ")}`);
      }
    });
  }));
  for (const { name } of cases) {
    await t.step(name, () => assertEquals(problems.get(name), undefined));
  }
});
