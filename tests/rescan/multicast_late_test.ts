import { assertEquals } from "../assert.ts";
import { Host } from "../lan/host.ts";
import { Network } from "../lan/network.ts";
import { ask, deno, hostOf } from "../peers/nodes.ts";

Deno.test("--multicast: an interface that comes up later is used within a minute", async () => {
  await using lan = await Network.create();
  const a = await hostOf(lan, "alder");
  const late = await Host.create("cedar");
  await using one = a.spawn(deno("node.ts"));
  await using two = late.spawn(deno("node.ts"));
  await Promise.all([one.line(/^listening$/), two.line(/^listening$/)]);
  await lan.connect(late);
  await two.line(/^found peer /, 0, 60_000);
  assertEquals((await ask(two)).peers, [`alive http://${lan.addressOf(a)}:15678/`]);
});
