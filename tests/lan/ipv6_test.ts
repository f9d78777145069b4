/** A LAN on which machines have only IPv6 addresses, with the options of the shipped service. */

import { assertEquals, assertMatch } from "../assert.ts";
import { type ArchMachine, cache } from "./arch.ts";
import { Scene } from "./scene.ts";

/** The value of `PACSERVE_ARGS` in the package. */
function shippedOptions(): string[] {
  const text = Deno.readTextFileSync(new URL("../../conf.d/pacserve", import.meta.url));
  return /^PACSERVE_ARGS="(.*)"$/m.exec(text)?.[1]?.split(" ") ?? [];
}

/** Replaces a machine's IPv4 address with an IPv6 address. */
async function moveToIpv6({ host }: ArchMachine, address: string): Promise<void> {
  const script = `ip -4 addr flush dev eth0; ip addr add ${address}/64 dev eth0 nodad`;
  await host.must(["bash", "-c", script]);
}

Deno.test("--ipv6: with only IPv6 addresses, machines find each other and packages come from peers", async () => {
  await using scene = await Scene.create();
  const machines = [await scene.machine("alder"), await scene.machine("birch")] as const;
  const addresses = ["fd00:7::1", "fd00:7::2"] as const;
  for (const [index, machine] of machines.entries()) {
    await moveToIpv6(machine, addresses[index] ?? "");
  }
  const [alder, birch] = machines;
  const { fileName } = scene.repository.package("pebble");
  await birch.cachePackages([scene.repository.package("pebble")]);
  const asking = await scene.pacserve(alder, shippedOptions());
  const having = await scene.pacserve(birch, shippedOptions());
  await asking.program.line(/found peer http:\/\/\[fd00:7::2\]:15678\//);
  await having.program.line(/found peer http:\/\/\[fd00:7::1\]:15678\//);

  for (const file of [fileName, `${fileName}.sig`]) {
    const url = `http://localhost:15678/pacman/core/x86_64/${file}`;
    await alder.host.must(["curl", "-sfL", "-m", "5", "-o", "/srv/got", url]);
    const [got, had] = await Promise.all([
      Deno.readFile(alder.host.path("/srv/got")),
      Deno.readFile(birch.host.path(`${cache}/${file}`)),
    ]);
    assertEquals(got, had);
  }
  // The log of the machine that had the package shows which machine got it.
  const line = await having.program.line(new RegExp(`"GET [^"]*/pebble[^"]*zst HTTP`));
  assertMatch(line, /\bfd00:7::1\b/);
  const { code, stdout } = await alder.host.run(
    ["pacman", "-U", "--noconfirm", `http://localhost:15678/pacman/core/x86_64/${fileName}`],
  );
  assertEquals(code, 0, stdout);
});

Deno.test("--ipv6: with both families, a peer is known only once, by its IPv4 address", async () => {
  await using scene = await Scene.create();
  const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
  for (const [index, { host }] of [alder, birch].entries()) {
    await host.must(["ip", "addr", "add", `fd00:7::${index + 1}/64`, "dev", "eth0", "nodad"]);
  }
  const one = await scene.pacserve(alder, shippedOptions());
  const other = await scene.pacserve(birch, shippedOptions());
  await scene.meet(one, other);
  // By then both means of discovery have found all servers.
  const again = await scene.pacserve(birch, [...shippedOptions(), "--port", "15700"]);
  await again.knows(scene.address(alder));
  await one.program.line(/found peer http:\/\/[^ ]+:15700\//);
  const page = "http://localhost:15678/?page=peers&mimetype=application/json";
  const { peers } = JSON.parse(await alder.host.must(["curl", "-s", page]));
  assertEquals(
    peers.map(({ url }: { readonly url: string }) => url).sort(),
    [15678, 15700].map((port) => `http://${scene.address(birch)}:${port}/`),
  );
});
