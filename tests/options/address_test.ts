/** The options for the addresses to listen on and the clients to answer. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import type { Host } from "../lan/host.ts";
import { eventually, must, run } from "../lan/process.ts";
import { Network } from "../lan/network.ts";
import { launched, runCommand, Served } from "../program.ts";
import { withFiles } from "../scratch.ts";

/** Returns true when a server at the address answers curl. */
async function answers(url: string): Promise<boolean> {
  return (await run(["curl", "-sS", "-o", "/dev/null", "--max-time", "5", url])).code === 0;
}

Deno.test("-a listens only on the given address, or on that of the given interface", async () => {
  for (const address of ["127.0.0.1", "lo", "localhost"]) {
    await using server = await Served.start("quickserve", ["-a", address, "/usr/share/doc"]);
    assertEquals(await server.names(), ["doc"]);
    assert(!await answers(`http://127.0.0.2:${server.port}/`));
    assertStringIncludes(server.program.output, `http://127.0.0.1:${server.port}/`);
  }
  const { code, stderr } = await runCommand("quickserve", ["-a", "nowhere0"]);
  assertEquals(code, 2);
  assertMatch(stderr, /^quickserve: --address: "nowhere0" is neither .*\n$/);
  const elsewhere = await runCommand("quickserve", ["-a", "203.0.113.7", "-p", "0"]);
  assertEquals(elsewhere.code, 1);
  assertMatch(
    elsewhere.stderr,
    /^quickserve: --address: 203\.0\.113\.7 is not an address of this machine\n$/,
  );
});

Deno.test("without -a the server listens on all IPv4 addresses, and with --ipv6 on all IPv6 addresses, too", async () => {
  {
    await using server = await Served.start("quickserve", ["/usr/share/doc"]);
    assert(await answers(`http://127.0.0.2:${server.port}/`));
    assert(!await answers(`http://[::1]:${server.port}/`));
  }
  await using server = await Served.start("quickserve", ["--ipv6", "/usr/share/doc"]);
  assert(await answers(`http://127.0.0.1:${server.port}/`));
  assert(await answers(`http://[::1]:${server.port}/`));
  assertStringIncludes(server.program.output, `http://[::1]:${server.port}/`);
});

Deno.test("--port: the error about a port in use names the port", async () => {
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = other.addr;
  const words = ["-a", "127.0.0.1", "-p", String(port), "/usr/share/doc"];
  const { code, stderr, stdout } = await runCommand("quickserve", words);
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, new RegExp(`^quickserve: .*${port}.* in use.*\\n$`));
  for (const wrong of ["65536", "-1", "http", "80.5"]) {
    const refused = await runCommand("quickserve", [`--port=${wrong}`]);
    assertEquals(refused.code, 2);
    assertMatch(refused.stderr, /^quickserve: --port: .* is not a whole number from 0 to 65535\n$/);
  }
});

Deno.test("--address: the error about an address that this host does not have names the address", async () => {
  const words = ["-a", "192.0.2.77", "-p", "0", "/usr/share/doc"];
  const { code, stderr } = await runCommand("quickserve", words);
  assertEquals(code, 1);
  assertMatch(stderr, /^quickserve: .*192\.0\.2\.77.*\n$/);
});

Deno.test("by default clients in the networks of the interfaces are answered, and with --allow-network only those it names", async () => {
  await using lan = await Network.create("203.0.113");
  const server = await lan.host("alder");
  const client = await lan.host("birch");
  for (
    const [words, status] of [[[], "200"], [["--allow-network", "10.0.0.0/8"], "403"]] as const
  ) {
    const command = [...launched("quickserve"), "-p", "8000", ...words, "/usr/share/doc"];
    await using program = server.spawn(command);
    await program.line(/^ {2}address /);
    const get = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}"];
    assertEquals(await client.must([...get, `http://${lan.addressOf(server)}:8000/`]), status);
    assertEquals(await server.must([...get, "http://127.0.0.1:8000/"]), "200");
  }
  const { code, stderr } = await runCommand("quickserve", ["--allow-network", "10.0.0.0/99"]);
  assertEquals(code, 2);
  assertMatch(stderr, /^quickserve: --allow-network: "10\.0\.0\.0\/99" is not a network/);
});

Deno.test("-a accepts a link-local address with its interface, and answers on no other interface", async () => {
  await using lan = await Network.create("203.0.113");
  const [server, client] = [await lan.host("alder"), await lan.host("birch")];
  const linkLocal = async (host: Host): Promise<string> => {
    const [own] = JSON.parse(await host.must(["ip", "-6", "-j", "addr", "show", "scope", "link"]))
      .flatMap((each: { ifname: string; addr_info: { local: string }[] }) =>
        each.addr_info.map(({ local }) => `${local}%${each.ifname}`)
      );
    return String(own);
  };
  await eventually("a link-local address", async () => (await linkLocal(server)) !== "undefined");
  const address = await linkLocal(server);
  const [bare = "", name = ""] = address.split("%");
  const command = [...launched("quickserve"), "-p", "8000", "/usr/share/doc", "-a"];
  const zone = (await linkLocal(client)).split("%")[1];
  const get = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "10"];
  for (const word of [address, bare]) {
    await using program = server.spawn([...command, word]);
    const line = await program.line(/^ {2}address /);
    assertEquals(line, `  address  http://[${bare}%25${name}]:8000/`);
    assertEquals(await client.must([...get, `http://[${bare}%25${zone}]:8000/`]), "200");
    const others = [`http://${lan.addressOf(server)}:8000/`, "http://127.0.0.1:8000/"];
    for (const other of others) {
      assertEquals((await server.run([...get, other])).stdout, "000", other);
    }
  }
  const wrong = await server.run([...command, `${bare}%none`]);
  assertEquals(wrong.code, 2);
  assertMatch(
    wrong.stderr,
    /^quickserve: --address: \S+ is not an address of the interface "none"\n$/,
  );
});

Deno.test("--server-name: a request with another host name is refused, and one with this name is answered", () =>
  withFiles({ "a": "1" }, async (directory) => {
    await using server = await Served.start("quickserve", [
      "--server-name",
      "files.test",
      directory,
    ]);
    const own = Deno.hostname().split(".")[0];
    const good = ["files.test", "localhost", `${own}.lan`, `${own}.home.arpa`, `${own}.local`];
    // Anybody can register such a name and make it resolve to this host.
    const bad = ["evil.test", `${own}.fritz.box`, `${own}.lan.evil.test`, "evil.lan"];
    for (
      const [host, status] of [
        ...good.map((name) => [name, "200"] as const),
        ...bad.map((name) => [name, "403"] as const),
      ]
    ) {
      const code = await must([
        ...["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", `Host: ${host}`],
        `${server.address}/`,
      ]);
      assertEquals(code, status, host);
    }
  }));
