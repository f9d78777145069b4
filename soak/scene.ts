/** The scene of the soak: packages, a mirror, a server under load, and a peer that keeps dying. */

import { createHash } from "node:crypto";
import { programCommand } from "../tests/lan/pacserve.ts";
import { type RunningServer, startListening } from "../tests/running_server.ts";

/** A package. The mirror has all packages; `place` says which other place has it. */
export interface Package {
  readonly name: string;
  readonly place: "cache" | "peer" | "mirror";
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sum: string;
}

const PLACES = ["cache", "peer", "mirror"] as const;

/** Sizes of the packages in bytes: the server keeps small ones in memory, and large ones not. */
const SIZES = [0, 1, 999, 70_000, 300_000, 3_000_000];

/** SHA-256 in hexadecimal. */
export function sumOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The running scene. */
export class Scene implements AsyncDisposable {
  readonly directory: string;
  readonly packages: readonly Package[];
  readonly server: RunningServer;
  /** How often the peer has died. */
  peerDeaths = 0;
  #peer: RunningServer;
  readonly #mirror: Deno.HttpServer<Deno.NetAddr>;
  #lists = 0;

  private constructor(
    directory: string,
    packages: readonly Package[],
    mirror: Deno.HttpServer<Deno.NetAddr>,
    peer: RunningServer,
    server: RunningServer,
  ) {
    this.directory = directory;
    this.packages = packages;
    this.#mirror = mirror;
    this.#peer = peer;
    this.server = server;
  }

  /** Creates the files, and starts mirror, peer and server. */
  static async build(): Promise<Scene> {
    const directory = await Deno.realPath(await Deno.makeTempDir({ prefix: "pacserve-soak-" }));
    for (const name of ["cache", "peer", "uploads", "first", "second", "db/sync", "spools"]) {
      await Deno.mkdir(`${directory}/${name}`, { recursive: true });
    }
    const packages = await makePackages(directory);
    const mirror = startMirror(packages);
    await writeConfiguration(directory, "cache", [`http://127.0.0.1:${mirror.addr.port}/$repo`]);
    await writeConfiguration(directory, "peer", []);
    const peer = await startPeer(directory, 0);
    await writeList(directory, "first");
    const server = await startListening([
      ...serverCommand(),
      ...["--address", "127.0.0.1", "--port", "0"],
      ...["--pacman-conf", `${directory}/cache.conf`, "--filelist", `${directory}/list.json`],
      ...["--upload", `${directory}/uploads`, "--peer", `${peer.base}/`, "--tar", "zip"],
      ...["--spool-directory", `${directory}/spools`],
    ]);
    return new Scene(directory, packages, mirror, peer, server);
  }

  /** Changes the shares, so that the server needs a worker with other permissions. */
  async changeList(): Promise<void> {
    this.#lists++;
    await writeList(this.directory, this.#lists % 2 === 0 ? "first" : "second");
  }

  /** Kills the peer, as a power failure would, and starts it again on the same port. */
  async restartPeer(): Promise<void> {
    this.peerDeaths++;
    const { port, program } = this.#peer;
    await program.kill();
    this.#peer = await startPeer(this.directory, port);
  }

  /** Removes the directory of spools, in which nothing has a name. */
  async removeSpools(): Promise<void> {
    try {
      await Deno.remove(`${this.directory}/spools`);
    } catch (error) {
      // The directory is not there if no package was passed on since the last removal.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.program.stop();
    await this.#peer.program.kill();
    await this.#mirror.shutdown();
    await Deno.remove(this.directory, { recursive: true });
  }
}

/** Starts the peer on 127.0.0.2, where connections of other programs cannot take its port. */
function startPeer(directory: string, port: number): Promise<RunningServer> {
  return startListening([
    ...programCommand("pacserve"),
    ...["--address", "127.0.0.2", "--port", String(port)],
    ...["--pacman-conf", `${directory}/peer.conf`, "--state-directory", directory],
  ]);
}

/** The words that start the server, with the permissions of `pacserve`. */
function serverCommand(): string[] {
  const server = new URL("./server.ts", import.meta.url).pathname;
  return [...programCommand("pacserve").slice(0, -2), server];
}

async function makePackages(directory: string): Promise<Package[]> {
  const packages: Package[] = [];
  for (const place of PLACES) {
    for (const [index, size] of SIZES.entries()) {
      const bytes = new Uint8Array(size);
      for (let at = 0; at < size; at += 65_536) {
        crypto.getRandomValues(bytes.subarray(at, at + 65_536));
      }
      const name = `${place}${index}-1-1-any.pkg.tar.zst`;
      packages.push({ name, place, bytes, sum: sumOf(bytes) });
      if (place !== "mirror") await Deno.writeFile(`${directory}/${place}/${name}`, bytes);
    }
  }
  return packages;
}

function startMirror(packages: readonly Package[]): Deno.HttpServer<Deno.NetAddr> {
  const files = new Map(packages.map(({ name, bytes }) => [`/core/${name}`, bytes]));
  files.set("/core/core.db", new Uint8Array(5000).fill(7));
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, ({ url, method }) => {
    const bytes = files.get(new URL(url).pathname.replaceAll("%2E", "."));
    if (bytes === undefined) return new Response("no", { status: 404 });
    const headers = { "Content-Length": String(bytes.length) };
    return new Response(method === "HEAD" ? null : bytes, { headers });
  });
}

async function writeConfiguration(
  directory: string,
  cache: string,
  servers: readonly string[],
): Promise<void> {
  const lines = [
    "[options]",
    `RootDir = ${directory}`,
    `DBPath = ${directory}/db`,
    `CacheDir = ${directory}/${cache}`,
    "Architecture = x86_64",
    "[core]",
    ...servers.map((server) => `Server = ${server}`),
  ];
  await Deno.writeTextFile(`${directory}/${cache}.conf`, lines.join("\n") + "\n");
}

/** Writes the filelist to a new file and renames it, as editors do. */
async function writeList(directory: string, shared: string): Promise<void> {
  const list = { more: [`${directory}/${shared}`], up: [`${directory}/uploads`] };
  await Deno.writeTextFile(`${directory}/list.new`, JSON.stringify(list));
  await Deno.rename(`${directory}/list.new`, `${directory}/list.json`);
}
