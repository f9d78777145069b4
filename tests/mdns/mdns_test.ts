/** Servers that find each other by multicast DNS, each on its own host. The tests need root. */

import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { Host } from "../lan/host.ts";
import { Network } from "../lan/network.ts";
import { eventually, type RunningProgram } from "../lan/process.ts";
import { Daemons } from "./daemons.ts";
import { config, found, hostOf, serve } from "./nodes.ts";

Deno.test("--mdns: two hosts find each other within two seconds after their start, and one that ends is lost", async () => {
  await using lan = await Network.create();
  const [a, b] = [await hostOf(lan, "alder"), await hostOf(lan, "birch")];
  await using one = await serve(a);
  await using two = await serve(b);
  const start = performance.now();
  await two.line(found(lan.addressOf(a)));
  await one.line(found(lan.addressOf(b)));
  const took = performance.now() - start;
  assert(took < 2_000, `${took} ms`);
  assertEquals((await two.stop()).code, 0);
  await one.line(new RegExp(`^lost ${lan.addressOf(b)} port 15678$`));
});

Deno.test("--mdns: hosts that have only IPv6 addresses find each other", async () => {
  await using lan = await Network.create();
  const hosts = [await hostOf(lan, "alder"), await hostOf(lan, "birch")];
  for (const [index, host] of hosts.entries()) {
    await host.must(["ip", "-4", "addr", "flush", "dev", "eth0"]);
    await host.must(["ip", "addr", "add", `fd00:7::${index + 1}/64`, "dev", "eth0", "nodad"]);
  }
  const [a, b] = hosts as [Host, Host];
  await using one = await serve(a);
  await using two = await serve(b);
  await one.line(found("fd00:7::2"));
  await two.line(found("fd00:7::1"));
});

Deno.test("--mdns: a host on two LANs finds the servers of both, and announces each address only on its LAN", async () => {
  await using lan = await Network.create();
  await using other = await Network.create("10.20.40");
  const [a, b, c] = [
    await hostOf(lan, "alder"),
    await hostOf(lan, "birch"),
    await hostOf(other, "cedar"),
  ];
  await other.connect(b, "eth1");
  await using one = await serve(a);
  await using two = await serve(b);
  await using three = await serve(c);
  await two.line(found(lan.addressOf(a)));
  await two.line(found(other.addressOf(c)));
  await one.line(new RegExp(`^found pacserve ${lan.addressOf(b)} port`));
  await three.line(new RegExp(`^found pacserve ${other.addressOf(b)} port`));
});

Deno.test("--mdns: only the chosen interface is used", async () => {
  await using lan = await Network.create();
  await using other = await Network.create("10.20.40");
  const [a, b, c] = [
    await hostOf(lan, "alder"),
    await hostOf(lan, "birch"),
    await hostOf(other, "cedar"),
  ];
  await other.connect(b, "eth1");
  await using one = await serve(a);
  // Another program on the host has joined the group on the other interface.
  await using _avahi = await (await Daemons.on(b)).avahi("allow-interfaces=eth0");
  await using two = await serve(b, 15678, "eth1");
  await using three = await serve(c);
  await two.line(found(other.addressOf(c)));
  await three.line(found(other.addressOf(b)));
  await using late = await serve(a, 15679);
  await late.line(found(lan.addressOf(a)));
  assert(!one.output.includes(lan.addressOf(b)), one.output);
  assert(!two.output.includes(lan.addressOf(a)), two.output);
});

Deno.test("--mdns: hosts with the same name, and two servers on one host, are all found", async () => {
  await using lan = await Network.create();
  const [a, b, c] = [
    await hostOf(lan, "alder"),
    await hostOf(lan, "alder"),
    await hostOf(lan, "cedar"),
  ];
  await using three = await serve(c);
  await using _one = await serve(a);
  await using _two = await serve(b);
  await using _other = await serve(b, 15679);
  await three.line(found(lan.addressOf(a)));
  await three.line(found(lan.addressOf(b)));
  await three.line(found(lan.addressOf(b), 15679));
});

Deno.test("--mdns: a server that was killed and restarted is found again within two seconds", async () => {
  await using lan = await Network.create();
  const [a, b] = [await hostOf(lan, "alder"), await hostOf(lan, "birch")];
  await using one = await serve(a);
  const first = await serve(b);
  await one.line(found(lan.addressOf(b)));
  await first.kill();
  const before = one.lines.length;
  await using again = await serve(b);
  const start = performance.now();
  await one.line(found(lan.addressOf(b)), before);
  await again.line(found(lan.addressOf(a)));
  const took = performance.now() - start;
  assert(took < 2_000, `${took} ms`);
});

for (const beside of [["avahi"], ["resolved"], ["avahi", "resolved"]]) {
  Deno.test(`--mdns: with ${beside.join(" and ")} on the host, servers find each other, and the daemons still work`, async () => {
    await using lan = await Network.create();
    const [a, b] = [await hostOf(lan, "alder"), await hostOf(lan, "birch")];
    for (const [index, host] of [a, b].entries()) {
      await host.must(["ip", "addr", "add", `fd00:7::${index + 1}/64`, "dev", "eth0", "nodad"]);
    }
    await using daemons = await Daemons.on(a);
    const avahi = beside.includes("avahi") ? await daemons.avahi("", 7078) : null;
    const resolved = beside.includes("resolved") ? await daemons.resolved(7079) : null;
    await using one = await serve(a);
    await using two = await serve(b);
    await one.line(found(lan.addressOf(b)));
    await two.line(found(lan.addressOf(a)));
    const instance = "pacserve on birch";
    if (avahi !== null) {
      await two.line(found(lan.addressOf(a), 7078, "pacredir"));
      await eventually("avahi finds the server", async () => {
        const lines = await daemons.avahiBrowse();
        const [name, address] = [instance.replaceAll(" ", "\\032"), lan.addressOf(b)];
        return lines.some((line) =>
          line.startsWith(
            `=;eth0;IPv4;${name};_pacserve._tcp;local;birch-pacserve.local;${address};15678;`,
          )
        );
      });
      // It may report conflicts with systemd-resolved about the host's name, but none with pacserve.
      const conflicts = avahi.lines.filter((line) => /conflict/i.test(line));
      if (resolved === null) assertEquals(conflicts, []);
      assert(!conflicts.some((line) => line.includes("pacserve")), conflicts.join("\n"));
    }
    if (resolved !== null) {
      await two.line(found(lan.addressOf(a), 7079, "pacredir"));
      const text = await eventually("resolved finds the server", async () => {
        const text = await daemons.resolvectl(instance);
        return text.includes("birch-pacserve.local:15678") && text;
      });
      assertStringIncludes(text, "arch=x86_64");
      assert(!/conflict(?!s\.\.\.)/i.test(resolved.output), resolved.output);
    }
    assert(!`${one.output}${two.output}`.includes("problem"), one.output + two.output);
  });
}

Deno.test("--mdns: a flood of 20,000 hostile messages neither increases memory nor hides a server", async () => {
  await using lan = await Network.create();
  const hosts = [await hostOf(lan, "alder"), await hostOf(lan, "birch")] as const;
  const enemy = await hostOf(lan, "elder");
  await using one = await serve(hosts[0]);
  await using two = await serve(hosts[1]);
  await one.line(found(lan.addressOf(hosts[1])));
  const before = await memoryOf(one);
  const flood = new URL("flood.ts", import.meta.url).pathname;
  const run = [Deno.execPath(), "run", "-A", "--quiet", `--config=${config}`, flood];
  await enemy.must([...run, lan.addressOf(enemy), "20000"]);
  const length = two.lines.length;
  await using again = await serve(hosts[1], 15679);
  await one.line(found(lan.addressOf(hosts[1]), 15679));
  await again.line(found(lan.addressOf(hosts[0])));
  assertEquals(one.lines.filter((line) => line.includes("192.0.2.")), []);
  assertEquals(two.lines.slice(length).filter((line) => line.startsWith("lost")), []);
  const grown = await memoryOf(one) - before;
  assert(grown < 64e6, `${grown / 1e6} MB more`);
});

async function memoryOf(node: RunningProgram): Promise<number> {
  const before = node.lines.length;
  node.signal("SIGUSR1");
  return Number((await node.line(/^memory /, before)).split(" ")[1]);
}
