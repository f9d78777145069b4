/** Which peer is chosen when several have a file, depending on the load that they report. */

import { assert, assertEquals } from "../assert.ts";
import { find, servePeer, type TestPeer, until, verdictOf } from "./lan.ts";

const NAMES: readonly string[] = Array.from({ length: 200 }, (_, index) => `p${index}`);

/** Starts a peer that has all files, and reports the number of its transfers. */
async function serveHolder(transfers: number): Promise<TestPeer> {
  const holder = await servePeer(NAMES.map((name) => `pkg/${name}`), {}, {
    index: { directories: [], names: () => Promise.resolve(NAMES) },
  });
  holder.peers.transfers = transfers;
  return holder;
}

/** Starts a peer that has fetched the indexes of others. */
async function serveAsking(holders: readonly TestPeer[]): Promise<TestPeer> {
  const asking = await servePeer([], {
    staticPeers: holders.map(({ base }) => base),
    // All peers share one processor.
    searchTimeout: 5000,
  });
  await until(() => holders.every(({ base }) => verdictOf(asking, base, "p0") === "yes"));
  return asking;
}

/** Returns how often each peer is chosen. */
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

Deno.test("Peers: a peer that reports many transfers is chosen less often", async () => {
  await using busy = await serveHolder(200);
  await using one = await serveHolder(0);
  await using other = await serveHolder(0);
  const holders = [busy, one, other];
  await using asking = await serveAsking(holders);
  const [first = 0, ...others] = await choices(asking, holders);
  // Purely at random it would be chosen 67 times. It is chosen if both draws give the busy one: 22 times.
  assert(first < 45, `${first}; ${others}`);
  for (const count of others) assert(count > 40, `${first}; ${others}`);
});

Deno.test("Peers: ten machines that upgrade at once use all peers that have the packages", async () => {
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
