/** The status of a pacserve on a LAN: the counters, how long they are kept, and who may see them. */

import type { Snapshot } from "../../src/status/snapshot.ts";
import { FILE_SOURCES } from "../../src/status/traffic.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import type { Host } from "../lan/host.ts";
import { Network } from "../lan/network.ts";
import { eventually, type RunningProgram } from "../lan/process.ts";
import { launched, runCommand } from "../program.ts";
import { Scratch, writeFiles } from "../scratch.ts";
import { sampleSnapshot } from "../unit/status/samples.ts";

const SIZES = { cache: 300_000, peer: 2_000_000, mirror: 1_000_000, large: 40_000_000 } as const;
const nameOf = (source: string): string => `${source}-1-1-any.pkg.tar.zst`;
const IN_REPOSITORY = "mirror/core/os/x86_64";

/** Two hosts. alder runs pacserve; birch runs another one and is also the mirror. */
class Scene implements AsyncDisposable {
  readonly scratch = new Scratch();
  private constructor(
    readonly lan: Network,
    readonly alder: Host,
    readonly birch: Host,
  ) {}

  static async create(): Promise<Scene> {
    const lan = await Network.create();
    const scene = new Scene(lan, await lan.host("alder"), await lan.host("birch"));
    const { directory } = scene.scratch;
    const birch = lan.addressOf(scene.birch);
    const file = (source: keyof typeof SIZES): string => source[0]!.repeat(SIZES[source]);
    const conf = (cache: string): string =>
      `[options]\nArchitecture = x86_64\nDBPath = ${directory}/db\nCacheDir = ${directory}/${cache}\n` +
      `[core]\nServer = http://${birch}:8080/${
        IN_REPOSITORY.replace("core/os/x86_64", "$repo/os/$arch")
      }\n`;
    writeFiles(directory, {
      "alder.conf": conf("alder"),
      "birch.conf": conf("birch"),
      [`alder/${nameOf("cache")}`]: file("cache"),
      [`alder/${nameOf("large")}`]: file("large"),
      [`birch/${nameOf("peer")}`]: file("peer"),
      [`${IN_REPOSITORY}/${nameOf("peer")}`]: file("peer"),
      [`${IN_REPOSITORY}/${nameOf("mirror")}`]: file("mirror"),
      "db/sync/": "",
      "state/": "",
    });
    return scene;
  }

  /** Starts pacserve on a host. */
  async start(host: Host, words: readonly string[] = []): Promise<RunningProgram> {
    const { directory } = this.scratch;
    const own = [
      ...["--pacman-conf", `${directory}/${host.name}.conf`],
      ...["--trust-pacserve-peers", ...words],
    ];
    const program = host.spawn([...launched("pacserve"), ...own]);
    await program.line(/^ {2}address /, 0, 30_000);
    return program;
  }

  /** Starts pacserve on alder with a directory for its counters, and with birch as its peer. */
  startAlder(words: readonly string[] = []): Promise<RunningProgram> {
    return this.start(this.alder, [
      ...["--state-directory", `${this.scratch.directory}/state`],
      ...["--peer", `http://${this.lan.addressOf(this.birch)}:15678/`, ...words],
    ]);
  }

  /** Fetches a package as pacman does. */
  async fetch(source: keyof typeof SIZES): Promise<void> {
    const url = `http://localhost:15678/pacman/core/os/x86_64/${nameOf(source)}`;
    const got = await this.alder.must([
      "curl",
      "-sf",
      "-o",
      "/dev/null",
      "-w",
      "%{size_download}",
      url,
    ]);
    assertEquals(Number(got), SIZES[source]);
  }

  /** Runs pacserve-status on a host. */
  status(host: Host, ...words: readonly string[]): ReturnType<Host["run"]> {
    return host.run([...launched("pacserve-status"), ...words]);
  }

  /** Returns the status of a host as data. */
  async snapshot(host: Host): Promise<Snapshot> {
    return JSON.parse((await this.status(host, "--json")).stdout);
  }

  /** Returns the bytes that a host counted since its installation in one direction, by source. */
  async bytes(host: Host, direction: "received" | "served"): Promise<number[]> {
    const { counters } = await this.snapshot(host);
    return FILE_SOURCES.map((source) => counters.sinceInstallation[direction][source].bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lan[Symbol.asyncDispose]();
    this.scratch[Symbol.dispose]();
  }
}

const CURL = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}"];
const JSON_STATUS = "/?page=status&mimetype=application/json";

Deno.test("pacserve-status, its counters, and who may see them", async (t) => {
  await using scene = await Scene.create();
  const { alder, birch, lan, scratch: { directory } } = scene;
  const all = [SIZES.cache, SIZES.peer, 0, SIZES.mirror];
  await using mirror = birch.spawn([
    ...launched("quickserve"),
    ...["-p", "8080", `${directory}/mirror`],
  ]);
  await mirror.line(/^ {2}address /, 0, 30_000);

  await t.step("if pacserve does not run, pacserve-status says so and exits with 3", async () => {
    const { code, stdout, stderr } = await scene.status(alder);
    assertEquals([code, stdout], [3, ""]);
    assertMatch(
      stderr,
      /^pacserve-status: pacserve does not run: no server listens at http:\/\/localhost:15678 .*\n$/,
    );
  });

  await using peer = await scene.start(birch);
  let server = await scene.startAlder();

  await t.step("files and bytes are counted by source, on this host and on the peer", async () => {
    for (const source of ["cache", "peer", "mirror"] as const) await scene.fetch(source);
    const { counters, peers, mirrors, problems } = await scene.snapshot(alder);
    assertEquals(FILE_SOURCES.map((source) => counters.sinceStart.received[source].bytes), all);
    assertEquals(FILE_SOURCES.map((source) => counters.today.received[source].files), [1, 1, 0, 1]);
    assertEquals(counters.today.saved.here, { files: 2, bytes: SIZES.cache + SIZES.peer });
    assertEquals(counters.hours.at(-1)?.received, counters.today.received);
    const [known] = peers;
    assertEquals([known?.state, known?.foundBy], ["alive", ["--peer"]]);
    assertEquals(known?.received, { files: 1, bytes: SIZES.peer });
    assert((known?.rate ?? 0) > 0 && (known?.roundTrip ?? 0) > 0);
    assertEquals(mirrors.map(({ state, received }) => [state, received.bytes]), [
      ["answers", SIZES.mirror],
    ]);
    assertEquals(problems, []);
    assertEquals(await scene.bytes(birch, "served"), [SIZES.peer, 0, 0, 0]);
    assertEquals(await scene.bytes(birch, "received"), [0, 0, 0, 0]);
  });

  await t.step("in a pipe the text has no colours, and is the same as ?page=status", async () => {
    const { code, stdout, stderr } = await scene.status(alder);
    assertEquals([code, stderr], [0, ""]);
    assert(!stdout.includes("\x1b"));
    assertMatch(stdout, /^ {2}since start +293 KiB +1\.9 MiB +- +977 KiB +2\.2 MiB +-$/m);
    const page = await alder.must(["curl", "-s", "http://localhost:15678/?page=status"]);
    const withoutSeconds = (text: string): string => text.replace(/\(\d+ s\)/, "");
    assertEquals(withoutSeconds(page), withoutSeconds(stdout));
  });

  await t.step("another machine sees the page of peers, but not the status", async () => {
    const address = `http://${lan.addressOf(alder)}:15678`;
    const ask = (from: Host, path: string, ...words: readonly string[]): Promise<string> =>
      from.must([...CURL, ...words, address + path]);
    for (const path of ["/?page=status", JSON_STATUS, "/?x=1&page=status"]) {
      assertEquals(await ask(birch, path), "403", path);
      assertEquals(await ask(alder, path), "200", path);
    }
    assertEquals(await ask(birch, "/metrics"), "404");
    assertEquals(await ask(alder, "/metrics"), "200");
    assertEquals(await ask(birch, "/?page=peers"), "200");
    const page = await birch.must(["curl", "-s", "-H", "Accept: text/html", `${address}/`]);
    assert(!page.includes("page=status"), "the menu links to the status for another machine");
    const about = await scene.status(birch, address);
    assertEquals([about.code, about.stdout], [1, ""]);
    assertMatch(about.stderr, /^pacserve-status: .*to its own machine only/);
  });

  await t.step("a page of another site cannot read the status, even on this host", async () => {
    for (const path of [JSON_STATUS, "/metrics"]) {
      const ask = (...words: readonly string[]): Promise<string> =>
        alder.must([...CURL, ...words, `http://127.0.0.1:15678${path}`]);
      // The owner of this name can make it resolve to this host (DNS rebinding).
      assertEquals(await ask("-H", "Host: evil.test"), "403");
      const refused = path === "/metrics" ? "404" : "403";
      const crossSite = ["-H", "Sec-Fetch-Site: cross-site", "-H", "Sec-Fetch-Mode: cors"];
      assertEquals(await ask(...crossSite), refused);
      assertEquals(await ask("-H", "X-Forwarded-For: 203.0.113.9"), refused);
      const head = await alder.must(["curl", "-sI", `http://127.0.0.1:15678${path}`]);
      assert(!/access-control-allow/i.test(head));
      assertMatch(head, /^Cross-Origin-Resource-Policy: same-origin\r?$/im);
    }
  });

  await t.step(
    "--watch uses the whole terminal, and restores it at Ctrl-C",
    async () => {
      const words = [...launched("pacserve-status"), "--watch"].map((word) => `'${word}'`);
      // The shell must become the command: a shell that waits for it takes the signal as well.
      const command = `exec ${words.join(" ")}`;
      const inside = ["nsenter", "--target", String(alder.pid), "--net", "--mount", "--uts"];
      const [program = "", ...args] = [...inside, "script", "-qec", command, "/dev/null"];
      const child = new Deno.Command(program, {
        args,
        stdin: "piped",
        stdout: "piped",
        stderr: "inherit",
        env: { TERM: "xterm-256color", NO_COLOR: "", SHELL: "/bin/sh" },
      }).spawn();
      let screen = "";
      const writer = child.stdin.getWriter();
      for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
        const before = screen;
        screen += text;
        // Press the key once the first frame is there.
        const isDrawn = (all: string): boolean => all.includes("did not come over the internet");
        if (isDrawn(screen) && !isDrawn(before)) await writer.write(new Uint8Array([3]));
      }
      await writer.close().catch(() => {});
      assertEquals((await child.status).code, 0, screen);
      assertStringIncludes(screen, "\x1b[?1049h\x1b[?25l");
      const [, after = ""] = screen.split("\x1b[?25h\x1b[?1049l");
      assertStringIncludes(after, "Files and bytes");
      assertStringIncludes(after, "\x1b[");
    },
  );

  await t.step("the counters survive SIGTERM, and --allow-metrics allows Prometheus", async () => {
    await server.stop();
    server = await scene.startAlder(["--allow-metrics", lan.addressOf(birch), "--auth", "a", "b"]);
    assertEquals(await scene.bytes(alder, "received"), all);
    const { counters } = await scene.snapshot(alder);
    assertEquals(counters.sinceStart.received.peer.bytes, 0);
    const address = `http://${lan.addressOf(alder)}:15678`;
    const metrics = await birch.must(["curl", "-sf", `${address}/metrics`]);
    assertStringIncludes(metrics, `pacserve_received_bytes_total{source="peer"} ${SIZES.peer}\n`);
    // The option allows nothing else.
    assertEquals(await birch.must([...CURL, `${address}/?page=status`]), "403");
    assertEquals(await birch.must([...CURL, `${address}/`]), "401");
  });

  await t.step(
    "after a crash the counters are those that were last written, and a broken file is not an error",
    async () => {
      await server.kill();
      server = await scene.startAlder();
      assertEquals(await scene.bytes(alder, "received"), all);
      await server.kill();
      await Deno.writeTextFile(`${directory}/state/counters.json`, '{"version":1,"tot');
      server = await scene.startAlder();
      assertEquals(await scene.bytes(alder, "received"), [0, 0, 0, 0]);
      await server.line(/counters\.json\.broken/);
    },
  );

  await t.step(
    "a new worker continues the counters of the previous one, which still sends",
    async () => {
      await scene.fetch("mirror");
      await Deno.mkdir(`${directory}/more`);
      const address = `http://${lan.addressOf(alder)}:15678`;
      const slow = birch.run([
        ...["curl", "-sf", "-o", "/dev/null", "--limit-rate", "12M"],
        `${address}/pkg/${nameOf("large")}`,
      ]);
      const sending = await eventually("it is sent", async () => {
        const { transfers } = await scene.snapshot(alder);
        return transfers.find(({ direction, done }) => direction === "sending" && done > 0) ?? null;
      });
      const { file, size, to, from: source } = sending;
      const large = [nameOf("large"), SIZES.large, lan.addressOf(birch), "cache"];
      assertEquals([file, size, to, source], large);
      // Another cache needs other permissions, and therefore another worker.
      const path = `${directory}/alder.conf`;
      const from = server.lines.length;
      const text = await Deno.readTextFile(path);
      await Deno.writeTextFile(
        path,
        text.replace("[core]", `CacheDir = ${directory}/more\n[core]`),
      );
      await server.line(/the configuration was read again/, from);
      await scene.fetch("cache");
      assertEquals(await scene.bytes(alder, "received"), [SIZES.cache, 0, 0, SIZES.mirror]);
      const { counters, running } = await scene.snapshot(alder);
      assertEquals(counters.sinceStart.received.mirror.bytes, SIZES.mirror);
      assert(running.seconds > 0);
      // Transfers of the previous worker are counted here, too, completely and only once.
      assertEquals((await slow).code, 0);
      await eventually(
        "it counts",
        async () =>
          (await scene.snapshot(alder)).counters.sinceStart.served.cache.files > 0 || null,
      );
      assertEquals(await scene.bytes(alder, "served"), [SIZES.large, 0, 0, 0]);
    },
  );

  await t.step(
    "a static peer that is gone is a problem: exit status 1, and a sentence",
    async () => {
      await peer.kill();
      // The file comes from the mirror. Meanwhile the server notices that the peer does not answer.
      await scene.fetch("peer");
      const found = await scene.status(alder);
      assertEquals(found.code, 1);
      assertMatch(found.stdout, /^! The peer http:.*, which --peer names, does not answer: /m);
    },
  );
  await server.kill();
});

Deno.test("pacserve-status reports wrong usage, other servers and other versions in a sentence", async () => {
  for (const words of [["a", "b"], ["ftp://x"], ["--watch"], ["--json", "--watch"], ["-n", "2"]]) {
    const { code, stdout, stderr } = await runCommand("pacserve-status", words);
    assertEquals([code, stdout], [2, ""], words.join(" "));
    assertMatch(stderr, /^pacserve-status: .*\n$/);
  }
  const serving = (answer: () => Response): Deno.HttpServer<Deno.NetAddr> =>
    Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
  const headers = { "Server": "ThreadedServers.Pacserve/2013.5" };
  await using other = serving(() => new Response("{}", { headers }));
  const old = await runCommand("pacserve-status", [String(other.addr.port)]);
  assertEquals([old.code, old.stdout], [1, ""]);
  assertMatch(old.stderr, /has no status: it is an older version/);
  await using stranger = serving(() => new Response("hello"));
  const wrong = await runCommand("pacserve-status", [`127.0.0.1:${stranger.addr.port}`]);
  assertEquals(wrong.code, 1);
  assertMatch(wrong.stderr, /is not pacserve: another program uses its port\n$/);
});

Deno.test("pacserve-status: another user's program on the port, which calls itself pacserve, gets a sentence and no control of the terminal", async () => {
  // ESC, a link of OSC 8, CSI of C1, and a turn of the direction of writing.
  const evil = "\x1b[2J\x1b]8;;http://evil/\x07\x9b31m\u202e";
  const words = /^(?:alive|backoff|answers|receiving|sending|\d{4}-.*Z)$/;
  const hostile = JSON.stringify(
    sampleSnapshot({ problems: ["x"] }),
    (_, value) => typeof value === "string" && !words.test(value) ? value + evil : value,
  );
  const sample = sampleSnapshot();
  const malformed = [
    { version: 1 },
    { ...sample, program: null },
    { ...sample, addresses: "a", problems: 7 },
    { ...sample, peers: [null] },
    { ...sample, mirrors: [{ ...sample.mirrors[0], state: "constructor" }] },
    { ...sample, running: { since: "never", seconds: "y" } },
    { ...sample, counters: { ...sample.counters, today: {} } },
    { ...sample, transfers: [{ ...sample.transfers[0], size: -1 }] },
  ];
  let answer = new Response();
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => answer,
  );
  const headers = { "Server": "ThreadedServers.Pacserve/2", "Content-Type": "application/json" };
  const ask = async (body: string, words: readonly string[] = [], status = 200) => {
    answer = new Response(body, { headers, status });
    const found = await runCommand("pacserve-status", [...words, String(server.addr.port)]);
    assertEquals(/(?!\n)[\p{Cc}\u202e]/u.exec(found.stdout + found.stderr)?.index, undefined);
    return found;
  };
  for (const data of malformed) {
    const { code, stdout, stderr } = await ask(JSON.stringify(data));
    assertEquals([code, stdout], [1, ""]);
    assertMatch(
      stderr,
      /^pacserve-status: what the server at .* says is no status of a pacserve\n$/,
    );
  }
  const shown = await ask(hostile);
  assertEquals([shown.code, shown.stderr], [1, ""]);
  assertStringIncludes(shown.stdout, "geo.mirror.example.org\\x1b[2J");
  const json = await ask(hostile, ["--json"]);
  assertEquals(JSON.parse(json.stdout), JSON.parse(hostile));
  const refused = await ask(evil + "x".repeat(100_000), [], 403);
  assertEquals(refused.code, 1);
  assert(refused.stderr.length < 1000);
});
