/**
 * What a source can do wrong, at each stage, as a peer and as a mirror: pacman never notices.
 *
 * The relay is the real one with its production times; each case has a relay of its own, and many run
 * at the same time, since most of them wait.
 */

import { Buffer } from "node:buffer";
import { assertEquals } from "../assert.ts";
import { type Fault, faults, honest, other, redirecting } from "./hostile_source.ts";
import { bytes, Scene, type SceneParts } from "./scene.ts";
import { download } from "./strict_client.ts";

/** Cases that run side by side. */
const SIDE_BY_SIDE = 20;

/** Ten seconds more than undisturbed (ms), on a machine that does all of this at the same time. */
const LONGEST = 11_000;

interface Case {
  readonly name: string;
  readonly parts: Omit<SceneParts, "file">;
  /** The byte that the client begins at. */
  readonly from: number;
}

const small = bytes(200 * 1024 + 7);
const large = bytes(3 * 1024 * 1024 + 7);
const more = large.length >> 1;

/** Where the hostile one stands, and who is honest. */
const places: readonly { name: string; from: number; parts: (fault: Fault) => Case["parts"] }[] = [
  { name: "a peer", from: 0, parts: ([, fault]) => ({ peers: [fault], mirrors: [honest] }) },
  {
    name: "a peer beside an honest one and no mirror",
    from: 0,
    parts: ([, fault]) => ({ peers: [fault, honest] }),
  },
  {
    name: "a peer that downloads it",
    from: 0,
    parts: ([, fault]) => ({ inFlight: [fault], mirrors: [honest] }),
  },
  {
    name: "the first mirror",
    from: 0,
    parts: ([, fault]) => ({ mirrors: [fault, honest] }),
  },
  {
    name: "the first mirror, without a spool,",
    from: 0,
    parts: ([, fault]) => ({ mirrors: [fault, honest], spoolSize: 0 }),
  },
  {
    name: "a peer, for the rest of a file,",
    from: more,
    parts: ([, fault]) => ({ peers: [fault], mirrors: [honest] }),
  },
  {
    name: "the first mirror, for the rest of a file,",
    from: more,
    parts: ([, fault]) => ({ mirrors: [fault, honest] }),
  },
  {
    name: "a peer and the first mirror",
    from: 0,
    parts: ([, fault]) => ({ peers: [fault], mirrors: [fault, honest] }),
  },
];

/**
 * Wrong bytes of a mirror reach pacman, as they do without us, where the file cannot be verified
 * before it is passed on: of the rest of a file, and of a file larger than a window without a spool.
 */
const isUnknowable = (place: string, fault: string): boolean =>
  place.includes("mirror, ") && /other bytes|another build|another package/.test(fault);

const elsewhere = await Deno.listen({ hostname: "127.0.0.1", port: 0 });
elsewhere.close();

const all: readonly Fault[] = [
  ...faults,
  ["redirects to where nobody is", redirecting(`http://127.0.0.1:${elsewhere.addr.port}/x`)],
  ["has another package", other((file) => bytes(file.length, 2))],
];

const cases: Case[] = places.flatMap(({ name, from, parts }) =>
  all.filter(([fault]) => !isUnknowable(name, fault)).map((
    fault,
  ) => ({ name: `${name} ${fault[0]}`, from, parts: parts(fault) }))
);

Deno.test(`the relay hides each of ${cases.length} faults from a client as strict as pacman`, async (t) => {
  const turns = [...cases];
  const failures = new Map<string, string>();
  const worker = async (): Promise<void> => {
    for (let next = turns.shift(); next !== undefined; next = turns.shift()) {
      const problem = await problemOf(next);
      if (problem !== null) failures.set(next.name, problem);
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
  for (const { name } of cases) {
    await t.step(name, () => assertEquals(failures.get(name), undefined));
  }
});

/** What a client saw that it must not see; null where all is well. */
async function problemOf({ parts, from }: Case): Promise<string | null> {
  let problem: string | null = null;
  // Files that a window can hold, and others.
  const file = from > 0 || parts.spoolSize === 0 ? large : small;
  await Scene.with({ ...parts, file }, async (scene) => {
    try {
      const { status, body, took } = await download(scene.port, "/file", file.length, from);
      if (status !== (from > 0 ? 206 : 200)) {
        problem = `${status} ${new TextDecoder().decode(body)}`;
      } else if (Buffer.compare(body, file.subarray(from)) !== 0) problem = "the bytes are wrong";
      else if (took > LONGEST) problem = `it took ${Math.round(took)} ms`;
    } catch (error) {
      problem = String(error);
    }
    if (problem !== null) problem += `; log: ${scene.log.join(" | ")}`;
  });
  return problem;
}
