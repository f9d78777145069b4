/** Which trackers are asked, whose answer is used, and how long a server waits for one. */

import type { FirstDownload, Want } from "../../../src/peers/protocol.ts";
import { parsePeerUrl } from "../../../src/peers/peer_url.ts";
import { type Peer, Registry } from "../../../src/peers/registry.ts";
import { Wants } from "../../../src/peers/wants.ts";
import { assert, assertEquals } from "../../assert.ts";

/** An answer that comes within this time (ms) costs nothing. */
const WANT_TIMEOUT = 50;

/** How much longer (ms) a tracker that is late is waited for, altogether. */
const PATIENCE = 450;

const digest = "ab".repeat(32);
const want: Want = { type: "want", file: "f", digest, have: 0, failed: [], ended: false };

type Answer = (peer: Peer) => Promise<FirstDownload | null>;

/** Makes a server that relays, with the given number of peers that do, and their answers. */
function make(count: number, answer: Answer): {
  readonly wants: Wants;
  readonly asked: Peer[];
  readonly peers: Peer[];
} {
  const registry = new Registry({ lifetime: 1e9 });
  const peers = Array.from({ length: count }, (_, i) => {
    const peer = registry.addStatic(parsePeerUrl(`http://10.0.0.${i + 1}/`, 15678)!);
    registry.answered(peer, {
      instance: `instance-${i}`,
      generation: null,
      transfers: null,
      relays: true,
      roundTrip: 1,
      isProof: false,
    });
    return peer;
  });
  const asked: Peer[] = [];
  const wants = new Wants(
    registry,
    {
      want: (peer) => {
        asked.push(peer);
        return answer(peer);
      },
    },
    // This server itself is not a tracker, so that each answer comes from a peer.
    { instance: "instance-own", relays: false },
  );
  return { wants, asked, peers };
}

const never = (): Promise<never> => new Promise(() => {});

/** Does the same as {@link make}, with the answers of the better tracker and of the other one. */
function withAnswers(one: FirstDownload | null, other: FirstDownload | null): Promise<Peer | null> {
  let first: Peer | null = null;
  const { wants } = make(9, (peer) => {
    first ??= peer;
    return Promise.resolve(peer === first ? one : other);
  });
  return wants.ask(want).late;
}

Deno.test("Wants: asks two trackers, the same ones for each want for a file", async () => {
  const { wants, asked } = make(9, () => Promise.resolve(null));
  await wants.ask(want).late;
  await wants.ask({ ...want, have: 7 }).late;
  assertEquals(asked.length, 4);
  assertEquals(asked.slice(0, 2), asked.slice(2));
  const digests = Array.from({ length: 32 }, (_, i) => i.toString(16).padStart(64, "0"));
  for (const each of digests) await wants.ask({ ...want, digest: each }).late;
  assertEquals(new Set(asked).size, 9, "the files are shared among all");
});

Deno.test("Wants: uses the answer of the better tracker, unless the other one has named an instance for longer", async () => {
  const named = (i: number, age: number): FirstDownload => ({ first: `instance-${i}`, age });
  assertEquals((await withAnswers(named(1, 0), named(2, 900)))?.instance, "instance-1");
  assertEquals((await withAnswers(named(1, 0), named(2, 6_000)))?.instance, "instance-2");
  assertEquals((await withAnswers(null, named(2, 0)))?.instance, "instance-2");
  assertEquals(await withAnswers({ first: "instance-own", age: 0 }, named(2, 900)), null);
});

Deno.test("Wants: uses an answer only if it names a known peer that is alive", async () => {
  assertEquals(await withAnswers({ first: "instance-of-a-stranger", age: 9e9 }, null), null);
  const { wants, peers } = make(3, () => Promise.resolve({ first: "instance-1", age: 0 }));
  peers[1]!.state = "backoff";
  // The peer was alive a moment ago.
  assertEquals((await wants.ask(want).late)?.instance, "instance-1");
  peers[1]!.lastSeen = performance.now() - 10_000;
  assertEquals(await wants.ask(want).late, null);
});

/** Returns the milliseconds until the answer is there. */
async function timeOf(wants: Wants): Promise<number> {
  const begun = performance.now();
  await wants.ask(want).soon();
  return performance.now() - begun;
}

Deno.test("Wants: trackers that do not answer cost half a second once, and then 50 ms each time", async () => {
  const { wants } = make(2, never);
  // Five packages are wanted at the same time.
  const times = await Promise.all(Array.from({ length: 5 }, () => timeOf(wants)));
  for (const took of times) {
    assert(took >= WANT_TIMEOUT + PATIENCE - 5 && took < 1_000, `${took} ms`);
  }
  for (let i = 0; i < 5; i++) {
    const took = await timeOf(wants);
    assert(took >= WANT_TIMEOUT - 5 && took < WANT_TIMEOUT + PATIENCE / 2, `${took} ms`);
  }
});

Deno.test("Wants: trackers that seem to be gone cost 50 ms", async () => {
  const { wants, peers } = make(2, never);
  for (const peer of peers) peer.state = "backoff";
  for (const peer of peers) peer.lastSeen = performance.now() - 10_000;
  const took = await timeOf(wants);
  assert(took >= WANT_TIMEOUT - 5 && took < WANT_TIMEOUT + PATIENCE / 2, `${took} ms`);
});

Deno.test("Wants: if the trackers refuse a want, the next ones are asked, too, until they answer again", async () => {
  const dead = new Set<Peer>();
  const { wants, asked } = make(
    9,
    (peer) =>
      dead.has(peer)
        ? Promise.reject(new Error("refuses connections"))
        : Promise.resolve({ first: "instance-own", age: 0 }),
  );
  await wants.ask(want).late;
  const [one, other] = asked.splice(0) as [Peer, Peer];
  dead.add(one).add(other);
  await wants.ask(want).late;
  assertEquals(asked.splice(0).length, 2);
  await wants.ask(want).late;
  assertEquals(asked.length, 4);
  assertEquals(asked.splice(0).slice(0, 2), [one, other]);
  for (const peer of [one, other]) peer.lastSeen = performance.now();
  await wants.ask(want).late;
  assertEquals(asked, [one, other]);
});

Deno.test("Wants: a tracker gets its time again after a file came from the peer that it named", async () => {
  const lateness = WANT_TIMEOUT + 0.9 * PATIENCE;
  const { wants } = make(2, async () => {
    await new Promise((resolve) => setTimeout(resolve, lateness));
    return { first: "instance-1", age: 0 };
  });
  const ask = async (isConfirmed: boolean): Promise<string | null | undefined> => {
    const wanted = wants.ask(want);
    const peer = await wanted.soon();
    if (isConfirmed) wanted.confirm();
    return peer?.instance;
  };
  assertEquals(await ask(true), "instance-1");
  assertEquals(await ask(false), "instance-1");
  assertEquals(
    await ask(false),
    undefined,
    "nothing came from where it said, and it took too long",
  );
});

Deno.test("Wants: the answer of the best tracker is enough, and a late one is still used", async () => {
  const { promise, resolve } = Promise.withResolvers<FirstDownload>();
  let first: Peer | null = null;
  const { wants } = make(2, (peer) => {
    first ??= peer;
    return peer === first ? promise : never();
  });
  const { soon, late } = wants.ask(want);
  assertEquals(await soon(), null);
  resolve({ first: "instance-1", age: 0 });
  assertEquals((await late)?.instance, "instance-1");
});

Deno.test("Wants: a server that does not relay answers no want", async () => {
  const { wants } = make(0, never);
  assertEquals(await wants.answer(want, "instance-1", "10.0.0.1"), null);
});
