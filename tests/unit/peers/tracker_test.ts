import { type Asker, Tracker } from "../../../src/peers/tracker.ts";
import { assert, assertEquals } from "../../assert.ts";

const TRACKER_BOUNDS = { files: 4_096, perAddress: 64, lifetime: 30_000 };

const asker = (name: string, address: string = `10.0.0.${name.charCodeAt(0)}`): Asker => ({
  instance: `instance-${name}`,
  address,
});
const [a, b, c] = [asker("a"), asker("b"), asker("c")];

/** Returns a tracker, its clock, and a function that sends it a want and returns the answer. */
function make(): {
  readonly tracker: Tracker;
  readonly clock: { now: number };
  want(who: Asker, have?: number, ...failed: Asker[]): string | null;
} {
  const clock = { now: 0 };
  const tracker = new Tracker(() => clock.now);
  const want = (who: Asker, have = 0, ...failed: Asker[]): string | null => {
    const instances = failed.map(({ instance }) => instance);
    tracker.want("file", who, have, instances);
    return tracker.named("file", who, instances)?.instance ?? null;
  };
  return { tracker, clock, want };
}

Deno.test("Tracker: names the first server that wants a file to all, including itself", () => {
  const { want } = make();
  assertEquals([want(a), want(b), want(c), want(a)], Array(4).fill(a.instance));
});

Deno.test("Tracker: forgets an instance that does not repeat its want for 30 s, and keeps one that does", () => {
  const { want, clock } = make();
  want(a);
  clock.now += TRACKER_BOUNDS.lifetime;
  assertEquals(want(a), a.instance);
  clock.now += TRACKER_BOUNDS.lifetime;
  assertEquals(want(b), a.instance);
  clock.now += 1;
  assertEquals(want(b), b.instance);
});

Deno.test("Tracker: a failure that one asker reports changes the answer to that asker only", () => {
  const { want } = make();
  want(a);
  assertEquals(want(b, 0, a), b.instance);
  assertEquals([want(c), want(a)], [a.instance, a.instance]);
});

Deno.test("Tracker: of several askers that lose the first instance, the one with most bytes continues", () => {
  const { tracker, clock, want } = make();
  want(a, 50);
  const failed = [a.instance];
  tracker.want("file", b, 10, failed);
  clock.now += 10;
  tracker.want("file", c, 20, failed);
  assertEquals(tracker.named("file", b, failed)?.instance, c.instance);
  assertEquals(tracker.named("file", c, failed)?.instance, c.instance);
  // Later no other one replaces it, because it has begun already.
  clock.now += 1_000;
  assertEquals(want(b, 30, a), c.instance);
  // If it has failed, too, another one does.
  assertEquals(want(b, 30, a, c), b.instance);
});

Deno.test("Tracker: an instance that ends is replaced by the one that continued", () => {
  const { tracker, want } = make();
  want(a);
  want(b, 10, a);
  tracker.ended("file", a);
  assertEquals(want(c), b.instance);
  tracker.ended("file", b);
  assertEquals(tracker.size, 0);
});

Deno.test("Tracker: a want cannot be ended or repeated from another address", () => {
  const { tracker, clock, want } = make();
  want(a);
  const liar = { ...a, address: "10.0.0.66" };
  tracker.ended("file", liar);
  assertEquals(want(b), a.instance);
  clock.now += TRACKER_BOUNDS.lifetime;
  want(liar);
  clock.now += 1;
  assertEquals(want(b), b.instance);
});

Deno.test("Tracker: names an address for at most 64 files: those that it wanted last", () => {
  const { tracker } = make();
  const greedy = { address: "10.0.0.9" };
  for (let i = 0; i < 1_000; i++) {
    tracker.want(`file ${i}`, { ...greedy, instance: `instance-${i}` }, 0, []);
  }
  assertEquals(tracker.size, TRACKER_BOUNDS.perAddress);
  assertEquals(tracker.named("file 0", b, []), null);
  assertEquals(tracker.named("file 999", b, [])?.instance, "instance-999");
});

Deno.test("Tracker: stores at most 4,096 files", () => {
  const { tracker } = make();
  for (let i = 0; i < 10_000; i++) {
    const address = `10.0.${i >> 8}.${i & 255}`;
    tracker.want(`file ${i}`, { address, instance: `instance-${i}` }, 0, []);
    tracker.want(`file ${i}`, { address, instance: `instance-x` }, 0, [`instance-${i}`]);
  }
  assert(tracker.size <= TRACKER_BOUNDS.files, `${tracker.size}`);
});

Deno.test("Tracker: endless wants of one address evict no others", () => {
  const { tracker, want } = make();
  want(a);
  for (let i = 0; i < 3 * TRACKER_BOUNDS.files; i++) tracker.want(`other ${i}`, b, i, [a.instance]);
  assertEquals(want(c), a.instance);
  assert(tracker.size <= TRACKER_BOUNDS.perAddress + 1, `${tracker.size} files`);
});
