/** Who is chosen when several peers have a file, by what they say of their work. */

import { assert, assertEquals } from "../assert.ts";
import { find, servePeer, type TestPeer, until, verdictOf } from "./lan.ts";

const NAMES: readonly string[] = Array.from({ length: 200 }, (_, index) => `p${index}`);

/** A peer that has all the files, and says how many it is sending. */
async function serveHolder(transfers: number): Promise<TestPeer> {
  const holder = await servePeer(NAMES.map((name) => `pkg/${name}`), {}, {
    index: { directories: [], names: () => Promise.resolve(NAMES) },
  });
  holder.peers.transfers = transfers;
  return holder;
}

/** A peer that knows the indexes of others. */
async function serveAsking(holders: readonly TestPeer[]): Promise<TestPeer> {
  const asking = await servePeer([], {
    staticPeers: holders.map(({ base }) => base),
    // One processor stands in for all of them.
    searchTimeout: 5000,
  });
  await until(() => holders.every(({ base }) => verdictOf(asking, base, "p0") === "yes"));
  return asking;
}

/** How often each of the peers is chosen. */
async function choices(
  asking: TestPeer,
  holders: readonly TestPeer[],
  chosen: (index: number) => void = () => {},
): Promise<number[]> {
  const counts = holders.map(() => 0);
  for (const name of NAMES) {
    const url = await find(asking, `pkg/${name}`);
    const index = holders.findIndex(({ base }) => url === `${base}pkg/${name}`);
    assert(index >= 0, `${name} is at ${url}`);
    counts[index] = (counts[index] ?? 0) + 1;
    chosen(index);
  }
  return counts;
}

Deno.test("a peer that says that it is busy is left in peace", async () => {
  await using busy = await serveHolder(200);
  await using one = await serveHolder(0);
  await using other = await serveHolder(0);
  const holders = [busy, one, other];
  await using asking = await serveAsking(holders);
  const [first = 0, ...others] = await choices(asking, holders);
  // By chance alone it would be chosen 67 times; it is if both that are drawn are the busy one: 22 times.
  assert(first < 45, `${first}; ${others}`);
  for (const count of others) assert(count > 40, `${first}; ${others}`);
});

Deno.test("ten machines that update at once spread over those that have the packages", async () => {
  await using stack = new AsyncDisposableStack();
  const holders: TestPeer[] = [];
  while (holders.length < 3) holders.push(stack.use(await serveHolder(0)));
  const askers = await Promise.all(Array.from({ length: 10 }, () => serveAsking(holders)));
  for (const asker of askers) stack.use(asker);
  const timers: ReturnType<typeof setTimeout>[] = [];
  const change = (index: number, by: number): void => {
    const holder = holders[index];
    if (holder !== undefined) holder.peers.transfers += by;
  };
  const counts = await Promise.all(askers.map((asker) =>
    choices(asker, holders, (index) => {
      change(index, 1);
      timers.push(setTimeout(() => change(index, -1), 100));
    })
  ));
  timers.forEach(clearTimeout);
  const sums = holders.map((_, index) => counts.reduce((sum, one) => sum + (one[index] ?? 0), 0));
  assertEquals(sums.reduce((sum, one) => sum + one, 0), 2000);
  for (const sum of sums) assert(sum > 400 && sum < 1000, String(sums));
});
