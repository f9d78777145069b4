import { Network } from "../lan/network.ts";
import { Daemons } from "../mdns/daemons.ts";
import { found, hostOf, serve } from "../mdns/nodes.ts";

Deno.test("--mdns: an avahi-daemon that uses the port exclusively is reported, and the port is used once it ends", async () => {
  await using lan = await Network.create();
  const [a, b] = [await hostOf(lan, "alder"), await hostOf(lan, "birch")];
  await using daemons = await Daemons.on(b);
  const avahi = await daemons.avahi("disallow-other-stacks=yes");
  await using one = await serve(a);
  await using two = await serve(b);
  await two.line(/^problem: mDNS is not used on eth0: .*disallow-other-stacks/);
  await avahi.stop();
  await two.line(found(lan.addressOf(a)), 0, 60_000);
  await one.line(found(lan.addressOf(b)));
});
