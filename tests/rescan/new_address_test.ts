import { Pair } from "../lan/pair.ts";
import { eventually } from "../lan/process.ts";

Deno.test("--multicast, --mdns: a server with a new address is found there within a minute", async () => {
  await Promise.all(["--multicast", "--mdns"].map(async (option) => {
    await using pair = await Pair.create();
    await pair.start([option]);
    const script = "ip addr flush dev eth0; ip addr add 10.20.30.99/24 dev eth0";
    await pair.birch.host.must(["bash", "-c", script]);
    const server = `http://${pair.scene.address(pair.alder)}:15678`;
    await eventually(`with ${option}, the server is found at the new address`, async () => {
      return (await pair.redirect(server, "kelp")).startsWith("http://10.20.30.99:15678/");
    }, 60_000);
  }));
});
