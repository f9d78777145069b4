/** Installs the package in an empty root directory, and runs programs there. */

import { must, type Outcome, run, RunningProgram } from "../lan/process.ts";
import { Scratch } from "../scratch.ts";

/**
 * Mounts what programs in the root need: this system's /usr, with its libraries and pacman, below the root's own
 * /usr, and the kernel's file systems.
 */
const ENTER = `set -e
root=$1; shift
mount -t tmpfs tmpfs /mnt
mkdir -p /mnt/{root,upper,work}
mount -t overlay overlay -o "lowerdir=$root,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root
cd /mnt/root
mkdir -p dev proc sys tmp root run usr var/cache
chmod 1777 tmp
mount -t overlay overlay -o "lowerdir=$root/usr:/usr" usr
for link in bin sbin lib lib64; do ln -sfn "usr/$link" "$link"; done
for directory in dev proc sys; do mount --rbind "/$directory" "$directory"; done
exec chroot . "$@"`;

/** A root directory with packages in it. */
export class InstalledRoot implements Disposable {
  readonly directory: string;
  readonly #configuration: string;
  readonly #scratch = new Scratch();

  private constructor() {
    this.directory = `${this.#scratch.directory}/root`;
    this.#configuration = `${this.#scratch.directory}/pacman.conf`;
  }

  /** Makes an empty root. */
  static async create(): Promise<InstalledRoot> {
    const installed = new InstalledRoot();
    await Deno.mkdir(`${installed.directory}/var/lib/pacman`, { recursive: true });
    await Deno.writeTextFile(
      installed.#configuration,
      "[options]\nArchitecture = x86_64\nSigLevel = Never\n",
    );
    return installed;
  }

  /** Runs pacman on the root. */
  async pacman(...words: readonly string[]): Promise<string> {
    const where = ["--root", this.directory, "--config", this.#configuration, "--noconfirm"];
    return await must(["pacman", ...where, ...words], { environment: { LC_ALL: "C" } });
  }

  /** Returns all files of the root except pacman's own, in the form of `find -printf`, sorted. */
  async files(format = "%P"): Promise<string[]> {
    const find = ["find", this.directory, "-path", "*/var/lib/pacman", "-prune", "-o"];
    const text = await must([...find, "!", "-type", "d", "-printf", `${format}\n`]);
    return text.split("\n").filter((line) => line !== "").sort();
  }

  /** Runs a program in the root. Its changes of files are discarded. */
  run(command: readonly string[]): Promise<Outcome> {
    return run(this.#inside(command));
  }

  /** Starts a program in the root that runs in parallel with the test. */
  spawn(command: readonly string[]): RunningProgram {
    return new RunningProgram(this.#inside(command));
  }

  #inside(command: readonly string[]): string[] {
    const enter = ["unshare", "--mount", "setpriv", "--pdeathsig", "KILL", "bash", "-c", ENTER];
    return [...enter, "bash", this.directory, ...command];
  }

  [Symbol.dispose](): void {
    this.#scratch[Symbol.dispose]();
  }
}
