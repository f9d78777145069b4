/** Makes a host an Arch machine: with pacman.conf, mirror list, keyring and packages. */

import type { Host } from "./host.ts";
import type { Package } from "./packages.ts";
import type { Release, Repository } from "./repository.ts";
import type { Outcome, RunningProgram, RunOptions } from "./process.ts";

/** The settings of an Arch machine. */
export interface ArchOptions {
  /** `Server` lines of the mirror list, in order. */
  readonly mirrors: readonly string[];
  /** The text of the repository sections after `[core]` and `[extra]`. */
  readonly sections?: string;
  /** The number of packages that pacman downloads at a time. */
  readonly parallel?: number;
}

/** The directory in which pacman stores downloaded packages. */
export const cache = "/var/cache/pacman/pkg";

/** Returns the `Server` line that uses the pacserve of a host. */
export function pacserveServer(address = "localhost"): string {
  return `http://${address}:15678/pacman/$repo/$arch`;
}

/** The parts of a host that an Arch machine needs. */
export type Place = Pick<Host, "must" | "path" | "run" | "spawn" | "write">;

/** A host on which pacman works as on any Arch machine. */
export class ArchMachine<H extends Place = Host> {
  readonly host: H;
  readonly repository: Repository;

  constructor(host: H, repository: Repository) {
    this.host = host;
    this.repository = repository;
  }

  /** Makes a host an Arch machine without packages, whose pacman requires signatures. */
  static async setUp<H extends Place>(
    host: H,
    repository: Repository,
    options: ArchOptions,
  ): Promise<ArchMachine<H>> {
    const machine = new ArchMachine(host, repository);
    await machine.configure(options);
    await host.must(["cp", "-r", `${repository.directory}/keyring`, "/etc/pacman.d/gnupg"]);
    await host.must(["chown", "-R", "root:root", "/etc/pacman.d/gnupg"]);
    return machine;
  }

  /** Writes the pacman.conf of Arch and the mirror list. */
  async configure(options: ArchOptions): Promise<void> {
    const { stdout: version } = await this.pacman(["--version"]);
    // Versions before 7 download as root, and do not support the option.
    const user = /v[456]\./.test(version) ? "" : "DownloadUser = alpm\n";
    const servers = options.mirrors.map((mirror) => `Server = ${mirror}\n`).join("");
    await this.host.write("/etc/pacman.d/mirrorlist", servers);
    await this.host.write(
      "/etc/pacman.conf",
      `# The configuration of a machine in a test.
[options]
HoldPkg     = pacman glibc
Architecture = x86_64
CheckSpace
ParallelDownloads = ${options.parallel ?? 5}
${user}SigLevel    = Required DatabaseOptional
LocalFileSigLevel = Optional

[core]
Include = /etc/pacman.d/mirrorlist

[extra]
Include = /etc/pacman.d/mirrorlist
${options.sections ?? ""}`,
    );
  }

  /** Runs pacman, or a program that takes the same arguments, without questions. */
  pacman(
    options: readonly string[],
    program: readonly string[] = ["pacman"],
    more: RunOptions = {},
  ): Promise<Outcome> {
    return this.host.run(pacmanCommand(options, program), { environment: english, ...more });
  }

  /** Starts pacman in parallel with the test. */
  startPacman(
    options: readonly string[],
    program: readonly string[] = ["pacman"],
  ): RunningProgram {
    return this.host.spawn(pacmanCommand(options, program), { environment: english });
  }

  /** Copies packages and their signatures to the cache, as if pacman had downloaded them. */
  async cachePackages(packages: readonly Package[], options = { signatures: true }): Promise<void> {
    for (const each of packages) {
      const file = this.repository.file(each);
      await Deno.copyFile(file, this.host.path(`${cache}/${each.fileName}`));
      if (options.signatures) {
        await Deno.copyFile(`${file}.sig`, this.host.path(`${cache}/${each.fileName}.sig`));
      }
    }
  }

  /** Installs the packages of a release from files, so that none is downloaded or cached. */
  async installFromFiles(release: Release, names: readonly string[]): Promise<void> {
    const files = names.map((name) => this.repository.file(this.repository.package(name, release)));
    const outcome = await this.pacman(["-U", ...files]);
    if (outcome.code !== 0) throw new Error(`pacman -U: ${outcome.stdout}${outcome.stderr}`);
  }

  /** Returns the names and versions of the installed packages. */
  async installed(): Promise<Record<string, string>> {
    const { stdout } = await this.pacman(["-Q"]);
    return Object.fromEntries(
      stdout.split("\n").filter((line) => line !== "").map((line) => line.split(" ")),
    );
  }

  /**
   * Returns the number of bytes of a file that pacman has downloaded; 0 if it has not begun. Pacman 7 moves
   * files into the cache only after all downloads.
   */
  async downloaded(fileName: string): Promise<number> {
    const find = `cat -- "$1"/"$2".part "$1"/download-*/"$2".part 2> /dev/null | wc -c`;
    return Number(await this.host.must(["sh", "-c", find, "sh", cache, fileName]));
  }

  /** Returns the names of the files in the cache. */
  async cached(): Promise<string[]> {
    const names: string[] = [];
    for await (const entry of Deno.readDir(this.host.path(cache))) names.push(entry.name);
    return names.sort();
  }
}

const english = { LC_ALL: "C" };

function pacmanCommand(options: readonly string[], program: readonly string[]): string[] {
  const changes = /^-[SUR]/.test(options[0] ?? "") ? ["--noconfirm", "--noprogressbar"] : [];
  return [...program, ...options, ...changes];
}
