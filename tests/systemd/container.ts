/**
 * A machine with a systemd of its own: Debian in a container of systemd-nspawn, on a host of the tests'
 * network. Every write of it goes to memory, and it ends with the test, however that ends.
 */

import type { Host } from "../lan/host.ts";
import {
  eventually,
  must,
  type Outcome,
  run,
  RunningProgram,
  type RunOptions,
} from "../lan/process.ts";

/** Where the system that containers begin with is kept between runs, since making it takes a minute. */
const CACHE = "/var/cache/pacserve-tests";

const RELEASE = "bookworm";

/** What the system has beyond Debian's minimum. The number goes up when this changes. */
const PACKAGES = "systemd,systemd-sysv,dbus,iproute2,nftables,iptables,pacman-package-manager,curl";
const TREE = `${CACHE}/debian-${RELEASE}-1`;

const MIRROR = "http://deb.debian.org/debian";

/** Minutes that making the system may take. */
const DEBOOTSTRAP_DEADLINE = 10 * 60_000;

async function systemTree(): Promise<string> {
  const script = `set -e
    [ -d "$2" ] && exit
    mkdir -p "$(dirname "$2")"
    exec 9> "$2.lock"; flock 9
    [ -d "$2" ] && exit
    rm -rf "$2.new"
    debootstrap --variant=minbase --include=${PACKAGES} "$1" "$2.new" ${MIRROR}
    mv "$2.new" "$2"`;
  await must(["bash", "-c", script, "bash", RELEASE, TREE], { deadline: DEBOOTSTRAP_DEADLINE });
  return TREE;
}

/** Mount points of the control groups by which a systemd knows its processes. */
const CONTROL_GROUPS = "/sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified";

/**
 * Starts a container with a writable layer in memory on top of the system, in a mount namespace of its
 * own. Where no systemd keeps containers apart, it gets control groups of its own: two that share them
 * kill each other's services.
 */
const START = `set -e
name=$1; shift
if ! [ -d /run/systemd/system ]; then
  for directory in ${CONTROL_GROUPS}; do
    [ -e "$directory/cgroup.procs" ] || continue
    mkdir "$directory/$name"
    echo $$ > "$directory/$name/cgroup.procs"
  done
  set -- "$@" --keep-unit
fi
mount -t tmpfs -o mode=755 tmpfs "$2"
mkdir "$2"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
directory=$2/root; shift 2
exec systemd-nspawn --directory="$directory" "$@"`;

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
    const tree = await systemTree();
    const directory = await Deno.makeTempDir({ prefix: "pacserve-container-" });
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
    const script = `for directory in ${CONTROL_GROUPS}; do
      [ -d "$directory/$1" ] || continue
      find "$directory/$1" -depth -type d -exec rmdir {} + || exit
    done`;
    await eventually("the control groups are gone", async () => {
      return (await run(["bash", "-c", script, "bash", this.#name])).code === 0;
    });
  }
}

/** The process that another one has started; 0 when there is none. */
async function onlyChild(pid: number): Promise<number> {
  return Number((await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`)).split(" ")[0]);
}
