/** The interfaces that take part in multicast, chosen by name and by address. */

import { assert, assertEquals } from "../assert.ts";
import { crossroads } from "./crossroads.ts";
import { Network } from "./network.ts";
import { Scene } from "./scene.ts";

for (const how of ["name", "address"]) {
  Deno.test(`--multicast-interface: only the interface that is chosen by its ${how} is used`, async () => {
    await using scene = await Scene.create();
    await using other = await Network.create("10.20.40");
    const { alder, birch, cedar } = await crossroads(scene, other);
    const chosen = how === "name" ? "eth1" : other.addressOf(birch.host);
    const a = await scene.pacserve(alder);
    const b = await scene.pacserve(birch, ["--multicast", "--multicast-interface", chosen]);
    // This one receives birch's announcements, and birch receives this one's.
    const c = await scene.pacserve(cedar);
    await b.knows(other.addressOf(cedar.host));
    await c.knows(other.addressOf(birch.host));
    // Hosts on the other interface and birch do not receive each other's announcements: neither by
    // multicast, although another program has joined the group there, nor by unicast to birch.
    await using member = birch.host.spawn(joined(scene.address(birch)));
    await member.line(/^joined$/);
    await alder.host.must(announcement(scene.address(alder), "224.3.45.67"));
    await alder.host.must(announcement(scene.address(alder), scene.address(birch)));
    await cedar.host.must(announcement(other.addressOf(cedar.host), "224.3.45.67", 15699));
    await b.program.line(new RegExp(`peer http://${other.addressOf(cedar.host)}:15699/: `));
    assert(!b.program.output.includes(scene.address(alder)), b.program.output);
    assert(!a.program.output.includes("peer http"), a.program.output);
  });
}

/** Returns a program that joins the group on the interface with this address. */
function joined(address: string): string[] {
  return [
    "python3",
    "-uc",
    `import socket, struct, time
member = socket.inet_aton("224.3.45.67") + socket.inet_aton("${address}")
it = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
it.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
print("joined")
time.sleep(600)`,
  ];
}

/** Returns a program that announces a server from an address, to the group or to one host. */
function announcement(from: string, to: string, port = 15678): string[] {
  return [
    "python3",
    "-c",
    `import socket
it = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
it.bind(("${from}", 0))
it.sendto(b"ThreadedServers.Pacserve/2013.05.12 http://ungabunga:${port}/", ("${to}", 15679))`,
  ];
}

Deno.test("--multicast: a warning if no interface takes part, and the banner names those that do", async () => {
  await using scene = await Scene.create();
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  const rename = "ip link set eth0 down && ip link set eth0 name br-lan && ip link set br-lan up";
  await birch.host.must(["bash", "-c", rename]);
  const options = ["--multicast", "--mdns"];
  const blind = await scene.pacserve(birch, options);
  await blind.program.line(
    /no interface to look for peers on: br-lan .*--multicast-interface br-lan/,
  );
  await blind.program.line(/looked for on no interface$/);
  await blind.stop();
  const seeing = await scene.pacserve(birch, [...options, "--multicast-interface", "br-lan"]);
  await seeing.program.line(/looked for on br-lan$/);
  const other = await scene.pacserve(alder, options);
  await other.program.line(/looked for on eth0$/);
  await scene.meet(seeing, other);
  const page = "http://localhost:15678/?page=peers&mimetype=application/json";
  const { means, interfaces } = JSON.parse(await birch.host.must(["curl", "-s", page]));
  assertEquals([means, interfaces], [["multicast", "multicast DNS"], ["br-lan"]]);
});
