/**
 * Servers that were restarted, have moved, or were away, and the others find each other at once: each finds the
 * other's packages within two seconds after the first announcement.
 */

import { assert } from "../assert.ts";
import type { ArchMachine } from "./arch.ts";
import { eventually } from "./process.ts";
import { Scene } from "./scene.ts";

/** Milliseconds from the start of a server to its first announcement, and from that until it must be found. */
const FIRST_ANNOUNCEMENT = 1_000;
const WITHIN = 2_000;

/** Milliseconds that a busy machine may need for the test's own work. */
const SLACK = 500;

/** Makes two machines, each with a package that the other does not have. */
class Pair implements AsyncDisposable {
  readonly scene: Scene;
  readonly alder: ArchMachine;
  readonly birch: ArchMachine;

  private constructor(scene: Scene, alder: ArchMachine, birch: ArchMachine) {
    this.scene = scene;
    this.alder = alder;
    this.birch = birch;
  }

  static async create(): Promise<Pair> {
    const scene = await Scene.create();
    const [alder, birch] = [await scene.machine("alder"), await scene.machine("birch")];
    await alder.cachePackages([scene.repository.package("pebble")]);
    await birch.cachePackages([scene.repository.package("kelp")]);
    return new Pair(scene, alder, birch);
  }

  /** Starts both servers, and waits until each finds the other's package. */
  async start(options: readonly string[]): Promise<Awaited<ReturnType<Scene["pacserve"]>>[]> {
    const servers = [
      await this.scene.pacserve(this.alder, options),
      await this.scene.pacserve(this.birch, options),
    ];
    await this.find();
    return servers;
  }

  /** Waits until each finds the other's package. Returns the milliseconds that this took. */
  async find(ports: readonly [alder: number, birch: number] = [15678, 15678]): Promise<number> {
    const start = performance.now();
    const { scene, alder, birch } = this;
    const all = [
      [alder, ports[0], `http://${scene.address(birch)}:${ports[1]}`, "kelp"],
      [birch, ports[1], `http://${scene.address(alder)}:${ports[0]}`, "pebble"],
    ] as const;
    await Promise.all(all.map(([machine, port, peer, name]) => {
      return eventually(`${machine.host.name} has ${name} of ${peer}`, async () => {
        const server = `http://${scene.address(machine)}:${port}`;
        return (await this.redirect(server, name)).startsWith(`${peer}/`);
      }, 60_000);
    }));
    return Math.round(performance.now() - start);
  }

  /** Returns the URL to which a server redirects a third machine that requests a package. */
  async redirect(server: string, name: string): Promise<string> {
    const { fileName } = this.scene.repository.package(name);
    const url = `${server}/pacman/core/x86_64/${fileName}`;
    const { stdout } = await this.scene.mirror.host.run(
      ["curl", "-s", "-m", "1", "-o", "/dev/null", "-w", "%{redirect_url}", url],
    );
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scene[Symbol.asyncDispose]();
  }
}

function assertSoon(took: number): void {
  const most = FIRST_ANNOUNCEMENT + WITHIN + SLACK;
  assert(took < most, `${took} ms after the start, ${most} are allowed`);
}

for (const options of [["--multicast"], ["--mdns"]]) {
  for (const how of ["stop", "kill"] as const) {
    Deno.test(`${options}: a server is found at once after ${how} and a start, even right after a change`, async () => {
      await using pair = await Pair.create();
      const [, second] = await pair.start(options);
      // The other server has just requested this index, and would not request it again for a minute.
      await pair.birch.cachePackages([pair.scene.repository.package("harbour")]);
      await second?.[how]();
      await pair.scene.pacserve(pair.birch, options);
      assertSoon(await pair.find());
    });
  }

  Deno.test(`${options}: two servers that restart at the same time find each other`, async () => {
    await using pair = await Pair.create();
    const servers = await pair.start(options);
    await Promise.all(servers.map((server) => server.kill()));
    await Promise.all([
      pair.scene.pacserve(pair.alder, options),
      pair.scene.pacserve(pair.birch, options),
    ]);
    assertSoon(await pair.find());
  });

  Deno.test(`${options}: a server that restarts on another port is found there`, async () => {
    await using pair = await Pair.create();
    const [, second] = await pair.start(options);
    await second?.stop();
    await pair.scene.pacserve(pair.birch, [...options, "--port", "15700"]);
    assertSoon(await pair.find([15678, 15700]));
  });

  Deno.test(`${options}: a server whose worker was replaced is found at once`, async () => {
    await using pair = await Pair.create();
    const [, second] = await pair.start(options);
    const before = second?.program.lines.length ?? 0;
    await pair.birch.host.must(["mkdir", "-p", "/var/cache/more"]);
    await pair.birch.host.must([
      "sed",
      "-i",
      "s|^\\[options\\]|&\\nCacheDir = /var/cache/pacman/pkg/\\nCacheDir = /var/cache/more/|",
      "/etc/pacman.conf",
    ]);
    await second?.program.line(/configuration|settings|reload/i, before);
    assertSoon(await pair.find());
  });
}

Deno.test("--multicast: a server that was frozen until it was forgotten is found again at once", async () => {
  await using pair = await Pair.create();
  const options = ["--multicast", "--multicast-interval", "2"];
  const [first, second] = await pair.start(options);
  second?.program.signal("SIGSTOP");
  await eventually("the server is removed", async () => {
    const page = "http://localhost:15678/?page=peers&mimetype=application/json";
    const text = await pair.alder.host.must(["curl", "-s", page]);
    return !text.includes(pair.scene.address(pair.birch));
  }, 30_000);
  second?.program.signal("SIGCONT");
  assertSoon(await pair.find());
  await first?.stop();
});

for (const options of [["--multicast"], ["--mdns"]]) {
  Deno.test(`${options}: a server with a new address is found there within a minute`, async () => {
    await using pair = await Pair.create();
    await pair.start(options);
    const script = "ip addr flush dev eth0; ip addr add 10.20.30.99/24 dev eth0";
    await pair.birch.host.must(["bash", "-c", script]);
    const server = `http://${pair.scene.address(pair.alder)}:15678`;
    await eventually("the server is found at the new address", async () => {
      return (await pair.redirect(server, "kelp")).startsWith("http://10.20.30.99:15678/");
    }, 60_000);
  });

  Deno.test(`${options}: a server whose interface was down is found again`, async () => {
    await using pair = await Pair.create();
    await pair.start(options);
    await pair.birch.host.must(["ip", "link", "set", "eth0", "down"]);
    await pair.birch.host.must(["ip", "link", "set", "eth0", "up"]);
    await pair.birch.host.run(["ip", "route", "append", "224.0.0.0/4", "dev", "eth0"]);
    assertSoon(await pair.find());
  });
}
