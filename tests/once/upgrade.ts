/** Machines that upgrade together, and the traffic that the mirror then sends. */

import { createHash } from "node:crypto";
import { assert } from "../assert.ts";
import type { ArchMachine } from "../lan/arch.ts";
import type { Package } from "../lan/packages.ts";
import type { Pacserve } from "../lan/pacserve.ts";
import { eventually, type Outcome } from "../lan/process.ts";
import type { Repository } from "../lan/repository.ts";
import { Scene } from "../lan/scene.ts";
import { lastingScratch } from "../scratch.ts";
import { type Contents, makeLargeRepository } from "./repository.ts";

/** Five packages of 20 MB and fifteen small ones, with their sizes in KiB. */
const contents: Contents = Object.fromEntries(
  ["anvil", "beacon", "comet", "drift", "ember"].flatMap((base) => [
    [base, 20 * 1024],
    ...["docs", "libs", "tools"].map((part) => [`${base}-${part}`, 200]),
  ]),
);

/** The names of all packages. */
export const names: readonly string[] = Object.keys(contents);

/** The names of the packages in a database that is an hour older. */
const before: readonly string[] = ["anvil", "beacon-docs"];

let repository: Promise<Repository> | null = null;

/** Returns the repository with these packages; it is created once per process. */
function ownRepository(): Promise<Repository> {
  repository ??= makeLargeRepository(lastingScratch(), contents, before);
  return repository;
}

/** A machine and its running pacserve. */
export interface Upgrading {
  readonly machine: ArchMachine;
  readonly pacserve: Pacserve;
}

/** A LAN whose mirror has a slow line. */
export class Together implements AsyncDisposable {
  readonly scene: Scene;
  readonly machines: Upgrading[] = [];
  /** Bytes on the mirror's cable at the first measurement; null before it. */
  #before: number | null = null;

  private constructor(scene: Scene) {
    this.scene = scene;
  }

  /**
   * Creates a LAN.
   *
   * @param hosts number of machines on it.
   * @param rate of the mirror's line, as `tc` writes it: `200mbit`.
   * @param outdated names of the packages for which there are upgrades.
   * @param options of pacserve.
   */
  static async create(
    hosts: number,
    rate: string,
    outdated: readonly string[] = names,
    options: readonly string[] = ["--multicast"],
  ): Promise<Together> {
    const scene = await Scene.create("today", ownRepository());
    const together = new Together(scene);
    const line = ["tbf", "rate", rate, "burst", "128kb", "latency", "400ms"];
    await scene.mirror.host.must(["tc", "qdisc", "add", "dev", "eth0", "root", ...line]);
    const named = Array.from({ length: hosts }, (_, i) => `host${i + 1}`);
    await Promise.all(named.map((name) => together.add(name, outdated, options)));
    await together.meet();
    await Promise.all(together.machines.map((each) => together.warmUp(each)));
    return together;
  }

  /** Adds a machine on which older versions of these packages are installed. */
  async add(
    name: string,
    outdated: readonly string[],
    options: readonly string[] = ["--multicast"],
  ): Promise<Upgrading> {
    const machine = await this.scene.machine(name);
    await machine.host.must(["sed", "-i", String.raw`/^\[extra\]/,$d`, "/etc/pacman.conf"]);
    for (const each of outdated) {
      const place = `/var/lib/pacman/local/${each}-1.0-1`;
      const desc = `%NAME%\n${each}\n\n%VERSION%\n1.0-1\n\n%ARCH%\nx86_64\n\n`;
      await machine.host.write(`${place}/desc`, desc);
      await machine.host.write(`${place}/files`, "%FILES%\n\n");
    }
    await machine.host.write("/var/lib/pacman/local/ALPM_DB_VERSION", "9\n");
    const upgrading = { machine, pacserve: await this.scene.pacserve(machine, options) };
    this.machines.push(upgrading);
    return upgrading;
  }

  /** Makes a server read the databases before the test, so that this does not compete for processor time. */
  async warmUp({ machine }: Upgrading): Promise<void> {
    const { code, stderr } = await machine.pacman(["-Sy"], ["pacsrv"]);
    assert(code === 0, stderr);
    const [{ fileName }] = this.scene.repository.packages.today as [Package];
    const address = `http://localhost:15678/pacman/core/x86_64/${fileName}`;
    await machine.host.must(["curl", "-sfI", address]);
  }

  /** Waits until each server has found all others. */
  async meet(): Promise<void> {
    for (const one of this.machines) {
      for (const other of this.machines) {
        if (one === other) continue;
        await one.pacserve.knows(this.scene.address(other.machine), 20_000);
      }
    }
  }

  /** Blocks the mirror for a machine's pacman, which would otherwise continue without its pacserve. */
  async keepFromMirror({ machine }: Upgrading): Promise<void> {
    const address = this.scene.lan.addressOf(this.scene.mirror.host);
    await machine.host.must(["ip", "route", "add", "blackhole", `${address}/32`]);
  }

  /** Returns the bytes of packages that the mirror sent. */
  async sent(): Promise<number> {
    const requests = await this.scene.mirror.requests();
    return requests.filter(({ file }) => file.includes(".pkg."))
      .reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Waits until this many bytes have left the mirror's cable. */
  async sentAtLeast(bytes: number): Promise<void> {
    this.#before ??= await this.#cable();
    const before = this.#before;
    await eventually(`the mirror sent ${bytes} bytes`, async () => {
      return await this.#cable() - before >= bytes;
    }, 60_000);
  }

  /**
   * Like {@link assertSent}, but counts all bytes on the mirror's cable since the first measurement,
   * including the headers of packets.
   */
  async assertLeft(names: readonly string[], most: number): Promise<void> {
    const share = (await this.#cable() - (this.#before ?? 0)) / this.sizeOf(names);
    console.log(`${share.toFixed(3)} times the bytes of one host left the mirror`);
    assert(share <= most, `${share.toFixed(3)} times\n${this.logs()}`);
  }

  async #cable(): Promise<number> {
    const counter = ["awk", `$1 == "eth0:" { print $10 }`, "/proc/net/dev"];
    return Number(await this.scene.mirror.host.must(counter));
  }

  /** Returns the machine that is the first tracker of a package (`doc/relay.md`). */
  async trackerOf(name: string): Promise<Upgrading> {
    const file = this.scene.repository.file(this.scene.repository.package(name));
    const digest = hash(await Deno.readFile(file));
    const scored = await Promise.all(this.machines.map(async (each) => {
      const address = `http://${this.scene.address(each.machine)}:15678/?index=pkg`;
      const command = ["curl", "-s", "-D", "-", "-o", "/dev/null", address];
      const head = await this.scene.mirror.host.must(command);
      const [, instance] = /^pacserve-instance: (\S+)/mi.exec(head) ?? [];
      assert(instance !== undefined, head);
      return { each, score: hash(new TextEncoder().encode(`${digest} ${instance}`)) };
    }));
    return scored.toSorted((one, other) => one.score < other.score ? 1 : -1)[0]!.each;
  }

  /** Waits until one of these machines has sent this many bytes of a file to others, and returns it. */
  async giving(machines: readonly Upgrading[], bytes: number): Promise<Upgrading> {
    return await eventually("one machine relays the file to others", async () => {
      for (const each of machines) {
        // Do not count the bytes to the machine's own pacman.
        const filter = ["state", "established", "sport = :15678 and not dst 127.0.0.1"];
        const sockets = await each.machine.host.must(["ss", "-tniH", ...filter]);
        const sent = [...sockets.matchAll(/bytes_sent:(\d+)/g)].map(([, count]) => Number(count));
        if (sent.some((count) => count >= bytes)) return each;
      }
      return null;
    }, 60_000);
  }

  /** Returns the size of these packages in bytes. */
  sizeOf(names: readonly string[]): number {
    return names.reduce((sum, name) => sum + this.scene.repository.package(name).size, 0);
  }

  /** Fails unless the mirror sent at most `most` times the bytes of these packages. */
  async assertSent(names: readonly string[], most: number): Promise<void> {
    const share = await this.sent() / this.sizeOf(names);
    console.log(`the mirror sent ${share.toFixed(3)} times the bytes of one host`);
    const lines = (await this.scene.mirror.requests())
      .map(({ host, method, file, bytes, range }) => `${host} ${method} ${file} ${range} ${bytes}`);
    assert(share <= most, `${share.toFixed(3)} times\n${lines.join("\n")}\n${this.logs()}`);
  }

  /** Returns the logs of all machines, for the message of a failed test. */
  logs(): string {
    return this.machines.map(({ machine, pacserve }) =>
      pacserve.program.lines.filter((line) => !line.includes("HTTP/1.1"))
        .map((line) => `${machine.host.name}: ${line}`).join("\n")
    ).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scene[Symbol.asyncDispose]();
  }
}

/** Upgrades a machine, or only downloads the upgrades, with fresh databases or the present ones. */
export function upgrade(
  { machine }: Upgrading,
  operation: "-Syu" | "-Syuw" | "-Suw" = "-Syuw",
): Promise<Outcome> {
  return machine.pacman([operation], ["pacsrv"]);
}

function hash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Fails if pacman printed an error or a warning. */
export function assertQuiet(outcomes: readonly Outcome[], logs: () => string): void {
  for (const { code, stdout, stderr } of outcomes) {
    const isGood = code === 0 && stderr === "" && !/error|warning/i.test(stdout);
    assert(isGood, `${code} ${stderr}${stdout}\n${logs()}`);
  }
}
