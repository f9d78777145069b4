/** Two machines whose servers find each other. */

import type { ArchMachine } from "./arch.ts";
import { eventually } from "./process.ts";
import { Scene } from "./scene.ts";

/** Two machines, each with a package that the other does not have. */
export class Pair implements AsyncDisposable {
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
