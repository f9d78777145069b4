/** Servers that find each other by multicast, each on its own host. The tests need root. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import type { Host } from "../lan/host.ts";
import { Network } from "../lan/network.ts";
import { eventually, type RunningProgram } from "../lan/process.ts";
import { ask, datagramsSent, deno, hostOf } from "./nodes.ts";

async function search(node: RunningProgram): Promise<string> {
  const before = node.lines.length;
  node.signal("SIGUSR2");
  return await node.line(/^file at /, before);
}

/** Number of datagrams of a flood. */
const FLOOD = 40_000;

/**
 * Returns the number of datagrams that arrived at a host's sockets since it was made, including dropped
 * ones (RFC 4113).
 */
async function datagrams(host: Host): Promise<number> {
  const [names = "", values = ""] = (await host.must(["cat", "/proc/net/snmp"])).split("\n")
    .filter((line) => line.startsWith("Udp:"));
  const counters = values.split(" ");
  const count = (name: string): number => Number(counters[names.split(" ").indexOf(name)]);
  return count("InDatagrams") + count("RcvbufErrors");
}

Deno.test("--multicast: two hosts find each other within two seconds after their start", async () => {
  await using lan = await Network.create();
  const [a, b] = [await hostOf(lan, "alder"), await hostOf(lan, "birch")];
  await using one = a.spawn(deno("node.ts"));
  await one.line(/^listening$/);
  await using two = b.spawn(deno("node.ts"));
  await two.line(/^listening$/);
  const start = performance.now();
  await two.line(/^found peer /);
  await one.line(/^found peer /);
  const took = performance.now() - start;
  assert(took < 2000, `${took} ms`);
  assertEquals((await ask(two)).peers, [`alive http://${lan.addressOf(a)}:15678/`]);
  assertEquals((await ask(one)).peers, [`alive http://${lan.addressOf(b)}:15678/`]);
  assert((await search(two)).startsWith(`file at http://${lan.addressOf(a)}:15678/pkg/foo`));
});

Deno.test("--multicast: on the first announcement from a network a host announces itself there again", async () => {
  await using lan = await Network.create();
  const [a, late] = [await hostOf(lan, "alder"), await hostOf(lan, "cedar")];
  await lan.unplug(late);
  await using one = a.spawn(deno("node.ts"));
  await using _two = late.spawn(deno("node.ts"));
  for (const host of [a, late]) {
    await eventually("it announced itself", async () => await datagramsSent(host) >= 2);
  }
  await lan.plugIn(late);
  await using _three = (await hostOf(lan, "birch")).spawn(deno("node.ts"));
  await one.line(new RegExp(`^found peer http://${lan.addressOf(late)}:`), 0, 30_000);
});

Deno.test("--multicast: a flood of 40,000 datagrams neither increases memory nor evicts a working peer", async () => {
  await using lan = await Network.create();
  const hosts = [await hostOf(lan, "alder"), await hostOf(lan, "birch")] as const;
  const enemy = await hostOf(lan, "elder");
  await using one = hosts[0].spawn(deno("node.ts"));
  await using two = hosts[1].spawn(deno("node.ts"));
  await Promise.all([one.line(/^found peer /), two.line(/^found peer /)]);
  const before = await ask(one);
  // Limit the sender's own work, because it shares a processor with the others.
  const command = deno("flood.ts", lan.addressOf(enemy), "10000", String(FLOOD / 10_000));
  const datagramsBefore = await datagrams(hosts[0]);
  await using flood = enemy.spawn(["nice", "-n", "19", ...command]);
  const place = `file at http://${lan.addressOf(hosts[1])}:15678/pkg/foo`;
  const found: boolean[] = [];
  await eventually("the flood is over", async () => {
    found.push((await search(one)).startsWith(place));
    return flood.lines.some((line) => line.startsWith("sent"));
  }, 60_000);
  // Their speed depends on this machine, but they must arrive.
  assertMatch(flood.lines.join("\n"), new RegExp(`^sent ${FLOOD} in `, "m"));
  const came = await datagrams(hosts[0]) - datagramsBefore;
  assert(came > FLOOD / 2, `only ${came} datagrams came`);
  const share = found.filter((each) => each).length / found.length;
  assert(share > 0.8, `found ${share} of ${found.length} times`);
  const after = await eventually("the peer is alive", async () => {
    await search(one);
    const known = await ask(one);
    return known.peers.join() === before.peers.join() && known;
  });
  assert(after.rss - before.rss < 64e6, `${(after.rss - before.rss) / 1e6} MB more`);
});
