/** The environment of the tests: a LAN with a mirror and Arch machines with pacserve. */

import { ArchMachine, type ArchOptions } from "./arch.ts";
import { Mirror } from "./mirror.ts";
import { Network } from "./network.ts";
import { installPacsrv, Pacserve } from "./pacserve.ts";
import type { Outcome } from "./process.ts";
import { type Release, type Repository, sharedRepository } from "./repository.ts";

/** A LAN with a mirror, and the machines that a test adds. */
export class Scene implements AsyncDisposable {
  readonly lan: Network;
  readonly mirror: Mirror;
  readonly repository: Repository;
  readonly #servers: Pacserve[] = [];

  private constructor(lan: Network, mirror: Mirror, repository: Repository) {
    this.lan = lan;
    this.mirror = mirror;
    this.repository = repository;
  }

  /**
   * Sets up a LAN whose mirror has that release.
   *
   * @param from the repository; by default the one that all tests share.
   * @param rate maximum speed of each connection to the mirror in bytes per second; 0 for no limit.
   */
  static async create(
    release: Release = "today",
    from: Repository | Promise<Repository> = sharedRepository(),
    rate = 0,
  ): Promise<Scene> {
    const repository = await from;
    const lan = await Network.create();
    try {
      const mirror = await Mirror.start(lan, "mirror", repository, release, rate);
      return new Scene(lan, mirror, repository);
    } catch (thrown) {
      await lan[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  /** Adds an Arch machine with pacsrv, whose pacman uses the mirror. */
  async machine(name: string, options: Partial<ArchOptions> = {}): Promise<ArchMachine> {
    const host = await this.lan.host(name);
    const all = { mirrors: [this.mirror.server], ...options };
    const machine = await ArchMachine.setUp(host, this.repository, all);
    await installPacsrv(host);
    return machine;
  }

  /** Starts pacserve on a machine. */
  async pacserve(
    machine: ArchMachine,
    options: readonly string[] = ["--multicast"],
  ): Promise<Pacserve> {
    const pacserve = await Pacserve.start(machine, options);
    this.#servers.push(pacserve);
    return pacserve;
  }

  /** Returns the address of a machine. */
  address(machine: ArchMachine): string {
    return this.lan.addressOf(machine.host);
  }

  /** Waits until two servers have found each other. */
  async meet(one: Pacserve, other: Pacserve): Promise<void> {
    await one.knows(this.address(other.machine));
    await other.knows(this.address(one.machine));
  }

  /** Returns the names of the package and signature files that the mirror sent to a machine. */
  async fromMirror(machine: ArchMachine): Promise<string[]> {
    return await this.mirror.packagesFetchedBy(machine.host);
  }

  /** Returns the sorted file names of packages and their signatures, as {@link fromMirror} does. */
  signed(...names: readonly string[]): string[] {
    return names.map((name) => this.repository.package(name).fileName)
      .flatMap((file) => [file, `${file}.sig`]).sort();
  }

  /** Returns the sorted file names of signatures: these come from a mirror when a peer has the packages. */
  signatures(...names: readonly string[]): string[] {
    return names.map((name) => `${this.repository.package(name).fileName}.sig`).sort();
  }

  /** Returns the names and versions of today's packages, in pacman's form. */
  today(...names: readonly string[]): Record<string, string> {
    const sorted = [...names].sort();
    return Object.fromEntries(sorted.map((name) => [name, this.repository.package(name).version]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) await server[Symbol.asyncDispose]();
    await this.mirror[Symbol.asyncDispose]();
    await this.lan[Symbol.asyncDispose]();
  }
}

/** Runs pacman through pacserve. */
export function pacsrv(machine: ArchMachine, ...options: readonly string[]): Promise<Outcome> {
  return machine.pacman(options, ["pacsrv"]);
}
