/**
 * A machine with a systemd of its own: {@link ArchRoot} in a container of systemd-nspawn, on a host of the tests'
 * network. Every write of it goes to memory, and it ends with the test, however that ends.
 */

import { ArchRoot } from "../../scripts/arch_root.ts";
import type { Host } from "../lan/host.ts";
import {
  eventually,
  must,
  type Outcome,
  run,
  RunningProgram,
  type RunOptions,
} from "../lan/process.ts";
import { Scratch } from "../scratch.ts";

/**
 * Mounts the control groups as systemd wants them, in a mount namespace where they may be mounted in
 * an older form. systemd-nspawn gives its container the form that it finds.
 */
const CONTROL_GROUPS = `if ! [ -e /sys/fs/cgroup/cgroup.procs ]; then
  umount -Rl /sys/fs/cgroup
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi`;

/**
 * Starts a container with a writable layer in memory on top of the system, in a mount namespace of its
 * own and a control group of its own: two that share one kill each other's services.
 */
const START = `set -e
name=$1; shift
${CONTROL_GROUPS}
mkdir "/sys/fs/cgroup/$name"
echo $$ > "/sys/fs/cgroup/$name/cgroup.procs"
mount -t tmpfs -o mode=755 tmpfs "$2"
mkdir "$2"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
directory=$2/root; shift 2
exec systemd-nspawn --directory="$directory" --keep-unit "$@"`;

/** Removes the control groups of a container. */
const CLEAN_UP = `${CONTROL_GROUPS}
[ -d "/sys/fs/cgroup/$1" ] || exit 0
find "/sys/fs/cgroup/$1" -depth -type d -exec rmdir {} +`;

/** A container that runs. */
export class Container implements AsyncDisposable {
  /** The host whose network the container has. */
  readonly host: Host;
  readonly #nspawn: RunningProgram;
  readonly #directory: string;
  readonly #name: string;
  #leader = 0;

  private constructor(host: Host, nspawn: RunningProgram, directory: string, name: string) {
    this.#name = name;
    this.host = host;
    this.#nspawn = nspawn;
    this.#directory = directory;
  }

  /**
   * Boots a container.
   *
   * @param shown directories of this machine that it sees at the same place, read-only.
   */
  static async boot(host: Host, shown: readonly string[]): Promise<Container> {
    const tree = Deno.env.get("PACSERVE_ARCH_ROOT") ||
      (await ArchRoot.provide(console.log)).directory;
    const directory = new Scratch().directory;
    const name = `${host.name}-${host.pid}`;
    const nspawn = new RunningProgram([
      // The container is in process and network namespaces of ours: it ends with their first process.
      ...["setpriv", "--pdeathsig", "KILL", "nsenter", `--target=${host.pid}`, "--net"],
      ...["unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"],
      ...["bash", "-c", START, "bash", name, tree, directory],
      ...["--boot", "--quiet", "--console=pipe", "--register=no"],
      ...["--link-journal=no", "--resolv-conf=off", "--timezone=off"],
      ...[`--machine=${name}`, `--hostname=${host.name}`],
      "--capability=CAP_NET_ADMIN",
      ...shown.map((path) => `--bind-ro=${path}`),
    ]);
    const container = new Container(host, nspawn, directory, name);
    try {
      await container.#booted();
      return container;
    } catch (thrown) {
      await container[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  async #booted(): Promise<void> {
    await eventually("systemd is up", async () => {
      const nspawn = await onlyChild(this.#nspawn.pid);
      this.#leader = nspawn === 0 ? 0 : await onlyChild(nspawn);
      if (this.#leader === 0) return false;
      const { stdout } = await this.run(["systemctl", "is-system-running"]);
      return /^(running|degraded)/.test(stdout);
    }, 60_000).catch((thrown) => {
      throw new Error(`${thrown}\n${this.#nspawn.output}`);
    });
  }

  /** Where the test finds a file of the container's. */
  path(file: string): string {
    return `/proc/${this.#leader}/root${file}`;
  }

  /** Runs a program in the container, as root. */
  run(command: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return run(this.#inside(command), options);
  }

  /** Runs a program in the container that must succeed; returns its standard output. */
  must(command: readonly string[], options: RunOptions = {}): Promise<string> {
    return must(this.#inside(command), options);
  }

  /** Starts a program in the container that runs beside the test. */
  spawn(command: readonly string[], options: RunOptions = {}): RunningProgram {
    return new RunningProgram(this.#inside(command), options);
  }

  /** Runs a script of bash in the container that must succeed. */
  script(text: string): Promise<string> {
    return this.must(["bash", "-c", `set -e\n${text}`]);
  }

  /** Writes a file, with the directories above it; one that is there is replaced, as editors do. */
  async write(file: string, text: string): Promise<void> {
    const path = this.path(file);
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(`${path}.new`, text);
    await Deno.rename(`${path}.new`, path);
  }

  #inside(command: readonly string[]): string[] {
    const target = ["nsenter", `--target=${this.#leader}`, "--mount", "--pid", "--net", "--uts"];
    return [
      ...target,
      "--ipc",
      "--cgroup",
      "env",
      "PATH=/usr/sbin:/usr/bin",
      "LC_ALL=C",
      ...command,
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#nspawn.kill();
    await Deno.remove(this.#directory, { recursive: true });
    // The processes in them end a moment after the one that was killed.
    await eventually("the control groups are gone", async () => {
      const words = ["unshare", "--mount", "bash", "-c", CLEAN_UP, "bash", this.#name];
      return (await run(words)).code === 0;
    });
  }
}

/** The process that another one has started; 0 when there is none. */
async function onlyChild(pid: number): Promise<number> {
  return Number((await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`)).split(" ")[0]);
}
