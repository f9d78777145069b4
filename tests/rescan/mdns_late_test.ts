import { Host } from "../lan/host.ts";
import { Network } from "../lan/network.ts";
import { found, hostOf, serve } from "../mdns/nodes.ts";

Deno.test("--mdns: an interface that appears later is used, and so are its new address and its replacement", async () => {
  await using lan = await Network.create();
  const a = await hostOf(lan, "alder");
  await using late = await Host.create("cedar");
  await using one = await serve(a);
  await using two = await serve(late);
  await lan.connect(late);
  await two.line(found(lan.addressOf(a)), 0, 60_000);
  await one.line(found(lan.addressOf(late)));
  await late.must(["bash", "-c", "ip addr flush dev eth0; ip addr add 10.20.30.77/24 dev eth0"]);
  await one.line(found("10.20.30.77"), 0, 60_000);
  const before = [one.lines.length, two.lines.length];
  await lan.replug(late);
  await two.line(found(lan.addressOf(a)), before[1], 60_000);
  await one.line(found(lan.addressOf(late)), before[0], 60_000);
});
