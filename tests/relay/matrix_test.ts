/**
 * Tests that pacman does not notice the faults of a source, at each stage of a download, as a peer and as a
 * mirror.
 *
 * The relay is the real one with the times of production. Each case has its own relay. Many cases run at the
 * same time, because most of them wait.
 */

import { Buffer } from "node:buffer";
import { assertEquals } from "../assert.ts";
import { type Fault, faults, honest, other, redirecting } from "./hostile_source.ts";
import { bytes, Scene, type SceneParts } from "./scene.ts";
import { download } from "./strict_client.ts";

/** Number of cases that run at the same time. */
const SIDE_BY_SIDE = 20;

/** Time limit of a download (ms). Without a fault it takes a second while all these cases run. */
const LONGEST = 11_000;

interface Case {
  readonly name: string;
  readonly parts: Omit<SceneParts, "file">;
  /** Position of the first byte that the client requests. */
  readonly from: number;
}

const small = bytes(200 * 1024 + 7);
const large = bytes(3 * 1024 * 1024 + 7);
const more = large.length >> 1;

/** The sources of each scene: the one with the fault, and the honest ones. */
const places: readonly { name: string; from: number; parts: (fault: Fault) => Case["parts"] }[] = [
  { name: "a peer", from: 0, parts: ([, fault]) => ({ peers: [fault], mirrors: [honest] }) },
  {
    name: "a peer, with an honest peer and no mirror,",
    from: 0,
    parts: ([, fault]) => ({ peers: [fault, honest] }),
  },
  {
    name: "a peer with an in-flight file",
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
 * True when the file cannot be verified before it is sent: the rest of a file, and without a spool a file
 * larger than a window. Then pacman gets the wrong bytes of a mirror, as it would without pacserve.
 */
const isUnknowable = (place: string, fault: string): boolean =>
  place.includes("mirror, ") && /other bytes|another build|another package/.test(fault);

const elsewhere = await Deno.listen({ hostname: "127.0.0.1", port: 0 });
elsewhere.close();

const all: readonly Fault[] = [
  ...faults,
  ["redirects to a closed port", redirecting(`http://127.0.0.1:${elsewhere.addr.port}/x`)],
  ["has another package", other((file) => bytes(file.length, 2))],
];

const cases: Case[] = places.flatMap(({ name, from, parts }) =>
  all.filter(([fault]) => !isUnknowable(name, fault)).map((
    fault,
  ) => ({ name: `${name} ${fault[0]}`, from, parts: parts(fault) }))
);

Deno.test(`Relay: a client as strict as pacman notices none of ${cases.length} faults of sources`, async (t) => {
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

/** Returns the error that the client noticed; null when there was none. */
async function problemOf({ parts, from }: Case): Promise<string | null> {
  let problem: string | null = null;
  // Without a spool, use a file that is larger than a window.
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
