/** Real pacman on a LAN whose hosts upgrade at the same time: the mirror sends each package once. */

import type { Snapshot } from "../../src/status/snapshot.ts";
import { amountOf } from "../../src/status/traffic.ts";
import { assert } from "../assert.ts";
import { programCommand } from "../lan/pacserve.ts";
import { eventually } from "../lan/process.ts";
import { assertQuiet, names, Together, upgrade, type Upgrading } from "./upgrade.ts";

/**
 * The mirror may send this many times the bytes that one host needs. Without sharing, the factor would be
 * the number of hosts.
 */
const MAX_SENT = 1.1;

/** The same factor for hosts that wait for the processor more than for each other. */
const MAX_BUSY = 1.3;

Deno.test("InFlightFile: eight hosts that upgrade in the same second download each package once", async () => {
  // All hosts share the cores of one machine. If these are busy, two hosts may begin the same file before
  // a tracker can answer: one of three upgrades must show what the hosts can do.
  for (const most of [MAX_BUSY, MAX_BUSY, MAX_SENT]) {
    await using lan = await Together.create(8, "200mbit", names);
    const outcomes = await Promise.all(lan.machines.map((each) => upgrade(each, "-Syu")));
    assertQuiet(outcomes, () => lan.logs());
    await lan.assertSent(names, most);
    if (await lan.sent() <= MAX_SENT * lan.sizeOf(names)) return;
  }
});

/** One large package and two small ones. At this rate they take ten seconds. */
const few = ["anvil", "anvil-docs", "anvil-libs"];
const rate = "16mbit";

Deno.test("hosts with --peer only that start one after the other, one of them half way", async () => {
  await using lan = await Together.create(1, rate, few, []);
  for (let i = 2; i <= 4; i++) {
    const peers = lan.machines.flatMap(({ machine }) => [
      "--peer",
      `http://${lan.scene.address(machine)}:15678/`,
    ]);
    await lan.warmUp(await lan.add(`host${i}`, few, peers));
  }
  // Later servers name the earlier ones with --peer; these learn of the later ones from their messages.
  for (const [i, { pacserve }] of lan.machines.entries()) {
    for (const { machine } of lan.machines.slice(i + 1)) {
      await pacserve.knows(lan.scene.address(machine), 20_000);
    }
  }
  const [first, ...others] = lan.machines as [Upgrading, ...Upgrading[]];
  const outcomes = [upgrade(first)];
  for (const [i, each] of others.entries()) {
    await lan.sentAtLeast(lan.sizeOf(few) * (i + 1) / 6);
    outcomes.push(upgrade(each));
  }
  assertQuiet(await Promise.all(outcomes), () => lan.logs());
  await lan.assertSent(few, MAX_SENT);
  await assertCounted(lan, few);
});

Deno.test("hosts with different packages and databases share the packages that they have in common", async () => {
  await using lan = await Together.create(2, rate, few);
  const other = await lan.add("other", ["anvil", "beacon-docs"]);
  await lan.meet();
  await lan.scene.mirror.publish("yesterday");
  await lan.warmUp(other);
  await lan.scene.mirror.publish("today");
  const outcomes = lan.machines.map((each) => upgrade(each, each === other ? "-Suw" : "-Syuw"));
  assertQuiet(await Promise.all(outcomes), () => lan.logs());
  await lan.assertSent([...few, "beacon-docs"], MAX_SENT);
});

/** The accidents of the first host at half of the large package. */
const accidents: readonly (readonly [string, (first: Upgrading, lan: Together) => unknown])[] = [
  ["is killed", ({ pacserve }) => pacserve.kill()],
  ["is frozen", ({ pacserve }) => pacserve.program.signal("SIGSTOP")],
  ["is cut off", ({ machine }, lan) => lan.scene.lan.unplug(machine.host)],
];

for (const [what, happens] of accidents) {
  Deno.test(`InFlightFile: the other hosts continue when the holder ${what} at half of a file`, async () => {
    await using lan = await Together.create(4, rate, few);
    const [first, ...others] = lan.machines as [Upgrading, ...Upgrading[]];
    const lost = upgrade(first).catch(() => {});
    await lan.sentAtLeast(300_000);
    const rest = Promise.all(others.map((each) => upgrade(each)));
    await lan.sentAtLeast(lan.sizeOf(few) / 2);
    await lan.keepFromMirror(first);
    await happens(first, lan);
    assertQuiet(await rest, () => lan.logs());
    // The log has no line for a request whose client vanished, but the cable's counter has its bytes.
    await lan.assertLeft(few, 1.3);
    await first.pacserve.kill();
    void lost;
  });
}

Deno.test("InFlightFile: a later host joins the download after the tracker was killed at half of a file", async () => {
  await using lan = await Together.create(4, rate, few);
  const tracker = await lan.trackerOf("anvil");
  const others = lan.machines.filter((each) => each !== tracker);
  const [first, second, late] = others as [Upgrading, Upgrading, Upgrading];
  const rest = [upgrade(first)];
  await lan.sentAtLeast(300_000);
  rest.push(upgrade(second));
  await lan.sentAtLeast(lan.sizeOf(few) / 2);
  await tracker.pacserve.kill();
  rest.push(upgrade(late));
  assertQuiet(await Promise.all(rest), () => lan.logs());
  await lan.assertSent(few, 1.3);
});

Deno.test("a host is killed while another one receives a file through it", async () => {
  // Four hosts read from the first host, and the last host reads from one of the four.
  await using lan = await Together.create(6, rate, few);
  const [first, ...others] = lan.machines as [Upgrading, ...Upgrading[]];
  const outcomes = new Map([[first, upgrade(first)]]);
  await lan.sentAtLeast(300_000);
  for (const each of others) outcomes.set(each, upgrade(each));
  const between = await lan.giving(others, 4_000_000);
  await lan.keepFromMirror(between);
  await between.pacserve.kill();
  void outcomes.get(between)?.catch(() => {});
  outcomes.delete(between);
  assertQuiet(await Promise.all(outcomes.values()), () => lan.logs());
  await lan.assertLeft(few, 1.3);
});

Deno.test("pacman of the first host is cancelled at half of a file", async () => {
  await using lan = await Together.create(4, rate, few);
  const [first, ...others] = lan.machines as [Upgrading, ...Upgrading[]];
  const pacman = first.machine.startPacman(["-Syuw"], ["pacsrv"]);
  await lan.sentAtLeast(300_000);
  const rest = Promise.all(others.map((each) => upgrade(each)));
  await lan.sentAtLeast(lan.sizeOf(few) / 2);
  pacman.signal("SIGINT");
  assertQuiet(await rest, () => lan.logs());
  await lan.assertSent(few, MAX_SENT);
});

Deno.test("a verified file is served before pacman has it in its cache, and after pacman was cancelled", async () => {
  await using lan = await Together.create(2, rate, few);
  const [first, other] = lan.machines as [Upgrading, Upgrading];
  const pacman = first.machine.startPacman(["-Syuw"], ["pacsrv"]);
  const { fileName } = lan.scene.repository.package("anvil-docs");
  const address = `http://${lan.scene.address(first.machine)}:15678/pkg/${fileName}`;
  await eventually("the small package is verified", async () => {
    const { code } = await other.machine.host.run(["curl", "-sfI", address]);
    return code === 0;
  }, 20_000);
  assert(!(await first.machine.cached()).includes(fileName));
  pacman.signal("SIGINT");
  await pacman.ended;
  await other.machine.host.must(["curl", "-sf", "-o", "/dev/null", address]);
});

/** Fails unless the hosts' counters agree with the mirror's log: files and bytes by source. */
async function assertCounted(lan: Together, names: readonly string[]): Promise<void> {
  const size = lan.sizeOf(names);
  const received = await Promise.all(lan.machines.map(async ({ machine }) => {
    const status = [...programCommand("pacserve-status"), "--json"];
    const { counters }: Snapshot = JSON.parse((await machine.host.run(status)).stdout);
    return counters.sinceInstallation.received;
  }));
  for (const each of received) {
    const { bytes } = amountOf(each);
    // The hosts also downloaded databases of a few kilobytes.
    assert(bytes >= size && bytes < 1.01 * size, `${bytes} bytes counted, not ${size}`);
  }
  const fromLan = received.reduce(
    (sum, { peer, inFlight }) => sum + peer.bytes + inFlight.bytes,
    0,
  );
  assert(fromLan > (lan.machines.length - MAX_SENT) * size, `${fromLan} bytes from the LAN`);
  assert(received.some(({ inFlight }) => inFlight.files > 0), "no file was counted as in flight");
}
