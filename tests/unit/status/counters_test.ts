/** Counters: sums, the day, the hours, and clocks that jump. */

import { Counters, emptyCounters, HOURS } from "../../../src/status/counters.ts";
import { counterStatus } from "../../../src/status/snapshot.ts";
import { assert, assertEquals } from "../../assert.ts";
import { flowsOf } from "./flows.ts";

const HOUR = 3_600_000;

/** Returns counters with a clock that the test sets. */
function clocked(start = Date.parse("2026-11-26T12:10:00")): {
  counters: Counters;
  clock: { now: number };
} {
  const clock = { now: start };
  const counters = new Counters(emptyCounters(new Date(start)), () => new Date(clock.now));
  return { counters, clock };
}

const peer = flowsOf("received", "peer", 1000);

function peerBytes(counters: Counters): Record<string, number> {
  const { total, today, sinceStart, hours } = counters.state();
  return {
    total: total.received.peer.bytes,
    today: today.received.peer.bytes,
    sinceStart: sinceStart.received.peer.bytes,
    hours: hours.reduce((sum, { flows }) => sum + flows.received.peer.bytes, 0),
  };
}

Deno.test("Counters adds to all sums", () => {
  const { counters } = clocked();
  counters.add(peer);
  counters.add(flowsOf("served", "cache", 5, 2));
  assertEquals(peerBytes(counters), { total: 1000, today: 1000, sinceStart: 1000, hours: 1000 });
  assertEquals(counters.state().total.served.cache, { files: 2, bytes: 5 });
});

Deno.test("Counters: the day restarts at midnight, and an hour is dropped after 24 hours", () => {
  const { counters, clock } = clocked();
  counters.add(peer);
  clock.now += 12 * HOUR;
  counters.add(peer);
  assertEquals(peerBytes(counters), { total: 2000, today: 1000, sinceStart: 2000, hours: 2000 });
  clock.now += (HOURS - 12) * HOUR;
  // Nothing was counted today: yesterday must be dropped nevertheless.
  assertEquals(peerBytes(counters), { total: 2000, today: 1000, sinceStart: 2000, hours: 1000 });
});

Deno.test("Counters: a clock that jumps a year and back changes no sum, and no count is negative", () => {
  const { counters, clock } = clocked();
  const start = clock.now;
  for (const now of [start, start + 80 * 365 * 24 * HOUR, 0, start, start - 2 * HOUR, start]) {
    clock.now = now;
    counters.add(peer);
    const { total, hours } = counters.state();
    assert(hours.length <= HOURS, "hours are bounded");
    assert(
      hours.every(({ start }) => start <= now && start > now - (HOURS + 1) * HOUR),
      "an hour is in the future, or too long ago",
    );
    assert(total.received.peer.bytes > 0);
  }
  assertEquals(peerBytes(counters)["total"], 6000);
});

Deno.test("Counters continue from a state and do not modify it", () => {
  const { counters, clock } = clocked();
  counters.add(peer);
  const state = counters.state();
  const next = new Counters(state, () => new Date(clock.now));
  next.add(peer);
  assertEquals(peerBytes(next), { total: 2000, today: 2000, sinceStart: 2000, hours: 2000 });
  assertEquals(state.total.received.peer.bytes, 1000);
});

Deno.test("counterStatus has 24 hours in order, including hours without traffic", () => {
  const { counters, clock } = clocked();
  counters.add(peer);
  clock.now += 3 * HOUR;
  counters.add(flowsOf("received", "mirror", 7));
  const { hours, today } = counterStatus(counters.state(), true, clock.now);
  assertEquals(hours.length, HOURS);
  assertEquals(hours.map(({ received }) => received.peer.bytes).indexOf(1000), HOURS - 4);
  assertEquals(hours.at(-1)?.received.mirror.bytes, 7);
  const starts = hours.map(({ start }) => Date.parse(start));
  assert(starts.every((start, index) => index === 0 || start - (starts[index - 1] ?? 0) === HOUR));
  // Traffic from a mirror does not count as saved.
  assertEquals(today.saved.here, { files: 1, bytes: 1000 });
});
