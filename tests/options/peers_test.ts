/** `--peer`, `--list-remote`, `--search-timeout` and the multicast options, from the command line. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import type { Host } from "../lan/host.ts";
import { Network } from "../lan/network.ts";
import { eventually, type RunningProgram } from "../lan/process.ts";
import { serveSilence } from "../peers/lan.ts";
import { launched, runCommand, Served } from "../program.ts";
import { withFiles } from "../scratch.ts";

const FILES = { "one/d/a": "a", "one/d/same": "mine", "two/d/b": "bb", "two/d/same": "theirs" };

/** A long time limit, for tests that are not about time: this machine may be busy with other tests. */
const PATIENT = ["--search-timeout", "5000"];

Deno.test("--peer: a client is redirected to the peer for a file that this server does not have", () =>
  withFiles(FILES, async (directory) => {
    await using other = await Served.start("quickserve", ["two/d"], { directory });
    const words = ["one/d", "--peer", other.address, "--verbose", ...PATIENT];
    await using server = await Served.start("quickserve", words, { directory });
    const { status, headers } = await server.fetch("/d/b");
    assertEquals([status, headers.get("Location")], [307, `${other.address}/d/b`]);
    assertEquals(await server.text("/d/same"), "mine");
    assertEquals(await server.status("/d/none"), 404);
    assertEquals(await server.names("/d/"), ["a", "same"]);
    await server.program.line(/"GET \/d\/b HTTP\/1\.1" 307 .* peer http:\/\/127\.0\.0\.1:/);
  }));

Deno.test("--list-remote merges the entries of peers, each with its peer", () =>
  withFiles(FILES, async (directory) => {
    await using other = await Served.start("quickserve", ["two/d"], { directory });
    const words = ["one/d", "--peer", other.address, "--list-remote", ...PATIENT];
    await using server = await Served.start("quickserve", words, { directory });
    const { entries } = await (await server.fetch("/d/?mimetype=application/json")).json();
    const found = entries.map(({ name, href, peer, size }: Record<string, unknown>) => {
      return [name, href, peer, size];
    });
    assertEquals(found, [
      ["a", "/d/a", null, 1],
      ["b", `${other.address}/d/b`, `${other.address}/`, 2],
      ["same", "/d/same", null, 4],
    ]);
    const page = await server.text("/d/", { headers: { Accept: "text/html" } });
    assertStringIncludes(page, `href="${other.address}/d/b"`);
    assertMatch(await server.text("/d/?mimetype=text/plain"), /b {2}on http:\/\/127\.0\.0\.1/);
  }));

Deno.test("--list-remote: a search finds files of peers, even in directories that only they have", () =>
  withFiles({ ...FILES, "two/d/sub/b2": "b" }, async (directory) => {
    await using other = await Served.start("quickserve", ["two/d"], { directory });
    const words = ["one/d", "--peer", other.address, ...PATIENT];
    const query = "/?search=B&mimetype=application/json";
    const found = async (server: Served): Promise<[string, string][]> => {
      const { entries } = await (await server.fetch(query)).json();
      return entries.map(({ name, href }: { name: string; href: string }) => [name, href]);
    };
    await using server = await Served.start("quickserve", [...words, "--list-remote"], {
      directory,
    });
    assertEquals(await found(server), [
      ["d/sub", `${other.address}/d/sub/`],
      ["d/b", `${other.address}/d/b`],
      ["d/sub/b2", `${other.address}/d/sub/b2`],
    ]);
    await using alone = await Served.start("quickserve", words, { directory });
    assertEquals(await found(alone), []);
  }));

Deno.test("--verbose logs once what is wrong with a peer", () =>
  withFiles(FILES, async (directory) => {
    const place = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const peer = `http://127.0.0.1:${place.addr.port}/`;
    place.close();
    const words = ["one/d", "--peer", peer, "--verbose"];
    await using server = await Served.start("quickserve", words, { directory });
    const said = `peer ${peer}: `;
    await server.program.line(new RegExp(said));
    for (let turn = 0; turn < 3; turn++) assertEquals(await server.status(`/d/none${turn}`), 404);
    const { lines } = server.program;
    assertEquals(lines.filter((line) => line.includes(said)).length, 1, lines.join("\n"));
  }));

Deno.test("--search-timeout: a peer that never answers delays neither pages nor searches for longer", () =>
  withFiles(FILES, async (directory) => {
    using silence = serveSilence();
    await using other = await Served.start("quickserve", ["two/d"], { directory });
    const peers = ["--peer", silence.base, "--peer", other.address];
    const words = ["one/d", ...peers, "--list-remote", "--search-timeout", "200"];
    await using server = await Served.start("quickserve", words, { directory });
    for (const [path, expected] of [["/d/", 200], ["/d/b", 307], ["/d/none", 404]] as const) {
      const started = performance.now();
      assertEquals(await server.status(path), expected);
      const took = performance.now() - started;
      // The limit is 200 ms; the rest is for this machine's own work.
      assert(took < 1000, `${path} took ${took} ms`);
    }
    assertEquals(await server.names("/d/"), ["a", "b", "same"]);
  }));

/** Starts a quickserve on a host and waits until it listens. */
async function serveOn(host: Host, ...words: string[]): Promise<RunningProgram> {
  const program = host.spawn([...launched("quickserve"), "-p", "8000", "--verbose", ...words]);
  await program.line(/^ {2}address /, 0, 20_000);
  return program;
}

/** Returns the peers of a server on a host. */
async function peersOf(host: Host): Promise<string[]> {
  const text = await host.must([
    "curl",
    "-s",
    "http://127.0.0.1:8000/?page=peers&mimetype=text/plain",
  ]);
  return text.match(/http:\/\/[\d.]+:\d+\//g) ?? [];
}

Deno.test("--multicast finds the servers with the same group and port, on the chosen interfaces", async () => {
  await using lan = await Network.create();
  const hosts = [];
  for (const name of ["alder", "birch", "cedar", "dogwood", "elder"]) {
    hosts.push(await lan.host(name));
  }
  const [alder, birch, cedar, dogwood, elder] = hosts as [Host, Host, Host, Host, Host];
  const interval = ["--multicast-interval", "1"];
  const share = "/usr/share/doc";
  await using _a = await serveOn(alder, "--multicast", ...interval, share);
  await using _b = await serveOn(birch, "--multicast", ...interval, share);
  await using _c = await serveOn(
    cedar,
    "--multicast",
    ...interval,
    "--multicast-port",
    "16000",
    share,
  );
  await using _d = await serveOn(
    dogwood,
    "--multicast",
    ...interval,
    "--multicast-group",
    "224.3.45.99",
    share,
  );
  await using _e = await serveOn(
    elder,
    "--multicast",
    ...interval,
    "--multicast-interface",
    "lo",
    share,
  );
  await eventually("the two to know each other", async () => {
    return (await peersOf(alder)).length > 0 && (await peersOf(birch)).length > 0;
  });
  assertEquals(await peersOf(alder), [`http://${lan.addressOf(birch)}:8000/`]);
  assertEquals(await peersOf(birch), [`http://${lan.addressOf(alder)}:8000/`]);
  for (const host of [cedar, dogwood, elder]) assertEquals(await peersOf(host), []);
});

Deno.test("without --multicast no server is found, and nothing is announced", async () => {
  await using lan = await Network.create();
  const alder = await lan.host("alder");
  const birch = await lan.host("birch");
  await using loud = await serveOn(
    alder,
    "--multicast",
    "--multicast-interval",
    "1",
    "/usr/share/doc",
  );
  await using quiet = await serveOn(birch, "/usr/share/doc");
  const sockets = await birch.must(["cat", "/proc/net/udp"]);
  assertEquals(sockets.trim().split("\n").length, 1, sockets);
  assert(!quiet.output.includes("found peer"));
  assert(!loud.output.includes("found peer"));
});

Deno.test("multicast options that change nothing cause a warning at start", async () => {
  const idle = ["--multicast-interval", "5"];
  await using one = await Served.start("quickserve", [...idle, "/usr/share/doc"]);
  await one.program.line(/warning: --multicast-interval changes nothing without --multicast/);
  await using lan = await Network.create();
  const words = ["--multicast", "--multicast-interface", "none0", "/usr/share/doc"];
  await using two = await serveOn(await lan.host("alder"), ...words);
  await two.line(/warning: --multicast-interface: this machine has no interface or address none0/);
});

Deno.test("--multicast-ignore: the interface does not take part", async () => {
  await using lan = await Network.create();
  const alder = await lan.host("alder");
  const birch = await lan.host("birch");
  const cedar = await lan.host("cedar");
  const common = ["--multicast", "--multicast-interval", "1", "/usr/share/doc"];
  await using _a = await serveOn(alder, ...common);
  await using _b = await serveOn(birch, ...common, "--multicast-ignore", "et*");
  await using _c = await serveOn(cedar, ...common, "--multicast-address", "0.0.0.0");
  await eventually("alder and cedar to know each other", async () => {
    return (await peersOf(alder)).length > 0 && (await peersOf(cedar)).length > 0;
  });
  assertEquals(await peersOf(alder), [`http://${lan.addressOf(cedar)}:8000/`]);
  assertEquals(await peersOf(birch), []);
});

Deno.test("--ipv6: a peer is asked at its IPv6 address", () =>
  withFiles(FILES, async (directory) => {
    await using other = await Served.start("quickserve", ["two/d", "--ipv6"], { directory });
    const peer = `http://[::1]:${other.port}`;
    const words = ["one/d", "--ipv6", "--peer", peer, ...PATIENT];
    await using server = await Served.start("quickserve", words, { directory });
    assertEquals((await server.fetch("/d/b")).headers.get("Location"), `${peer}/d/b`);
  }));

Deno.test("--list-remote without peers causes a warning that it changes nothing", () =>
  withFiles({ "d/a": "" }, async (directory) => {
    await using server = await Served.start("quickserve", ["d", "--list-remote"], { directory });
    await server.program.line(
      /warning: --list-remote changes nothing without --peer or --multicast/,
    );
  }));

Deno.test("--mdns uses the interfaces of the multicast options, and the banner shows that", () =>
  withFiles({ "a": "1" }, async (directory) => {
    const files = { "pacman.conf": `[options]\nCacheDir = ${directory}\nArchitecture = x86_64\n` };
    await withFiles(files, async (place) => {
      const words = ["--pacman-conf", `${place}/pacman.conf`, "--multicast-interface", "lo"];
      await using alone = await Served.start("pacserve", [...words, "--mdns"]);
      assertStringIncludes(alone.program.output, "found by multicast DNS (_pacserve._tcp)");
      assert(!alone.program.output.includes("changes nothing"), alone.program.output);
      await using without = await Served.start("pacserve", words);
      await without.program.line(/--multicast-interface changes nothing without --multicast/);
    });
    const { code, stderr } = await runCommand("quickserve", ["--mdns", directory]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, "--mdns");
  }));
