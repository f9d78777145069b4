import { Network } from "../lan/network.ts";
import { eventually } from "../lan/process.ts";
import { datagramsSent, deno, hostOf } from "../peers/nodes.ts";

Deno.test("--multicast: a host whose cable is plugged in after its announcement is found within a minute", async () => {
  await using lan = await Network.create();
  const [a, late] = [await hostOf(lan, "alder"), await hostOf(lan, "cedar")];
  await lan.unplug(late);
  await using one = a.spawn(deno("node.ts"));
  await using two = late.spawn(deno("node.ts"));
  for (const host of [a, late]) {
    // One goes to loopback, and one to the LAN or nowhere. The next ones come after five minutes.
    await eventually("it announced itself", async () => await datagramsSent(host) >= 2);
  }
  await lan.plugIn(late);
  await one.line(/^found peer /, 0, 60_000);
  await two.line(/^found peer /);
});
