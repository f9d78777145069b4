/**
 * A host of a test, which has its own network, files and host name.
 *
 * It is a set of kernel namespaces (network, mounts, host name) that a process, the holder, keeps alive.
 * `/etc`, `/usr`, `/var`, `/opt` and `/srv` are this machine's, with a layer on top for all writes, so that a
 * real `pacman -Syu` installs into "the system" without any change outside.
 *
 * The namespaces have no names and the layers are in memory: when the holder ends, everything is gone.
 * The kernel kills the holder and every program on the host when the test's process dies for any reason, so
 * that nothing is left.
 */

import { must, type Outcome, run, RunningProgram, type RunOptions } from "./process.ts";

/** Words that make a program die with the thread that started it (prctl(2), PR_SET_PDEATHSIG). */
const dieWithUs = ["setpriv", "--pdeathsig", "KILL"];

/** Directories with a writable layer. */
const layered = ["/etc", "/usr", "/var", "/opt", "/srv"];

/** Directories that are empty at first, because this machine may be an Arch machine with files in them. */
const fresh = [
  "/etc/pacman.d",
  "/usr/share/libalpm/hooks",
  "/var/cache/pacman",
  "/var/cache/pacserve",
  "/var/lib/pacman",
  "/var/lib/pacserve-status",
];

const setUp = `
set -e
# pacman downloads as an ordinary user, who has to get through these directories.
umask 022
layers=/mnt
mount -t tmpfs -o mode=755 tmpfs "$layers"
for directory in ${layered.join(" ")}; do
  mkdir -p "$layers$directory/upper" "$layers$directory/work"
  mount -t overlay overlay -o "lowerdir=$directory,upperdir=$layers$directory/upper,workdir=$layers$directory/work" "$directory"
done
for directory in ${fresh.join(" ")}; do
  mkdir -p "$layers/fresh$directory" "$directory"
  mount --bind "$layers/fresh$directory" "$directory"
done
mkdir -p /var/cache/pacman/pkg
hostname "$1"
echo "127.0.0.1 localhost $1" > /etc/hosts
echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad 2> /dev/null || true
ip link set lo up
echo up
exec cat
`;

/** A host. {@link "./network.ts"!Network.host} makes it. */
export class Host implements AsyncDisposable {
  readonly name: string;
  readonly #holder: Deno.ChildProcess;

  private constructor(name: string, holder: Deno.ChildProcess) {
    this.name = name;
    this.#holder = holder;
  }

  /**
   * Makes a host without connections.
   *
   * @throws Error when the kernel refuses, because it needs root.
   */
  static async create(name: string): Promise<Host> {
    const holder = new Deno.Command("unshare", {
      args: ["--net", "--mount", "--uts", ...dieWithUs, "bash", "-c", setUp, "bash", name],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const reader = holder.stdout.getReader();
    const { done } = await reader.read();
    reader.releaseLock();
    if (done) {
      const reason = await new Response(holder.stderr).text();
      throw new Error(`cannot make the host ${name}: ${reason.trim()}`);
    }
    return new Host(name, holder);
  }

  /** The process that holds the host's namespaces. */
  get pid(): number {
    return this.#holder.pid;
  }

  /** Returns the path at which the test can access a file of the host. */
  path(file: string): string {
    return `/proc/${this.pid}/root${file}`;
  }

  /** Runs a program on the host as root, and waits for its end. */
  run(command: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return run(this.#inside(command, options), outside(options));
  }

  /** Runs a program on the host that must succeed; returns its standard output. */
  must(command: readonly string[], options: RunOptions = {}): Promise<string> {
    return must(this.#inside(command, options), outside(options));
  }

  /** Starts a program on the host that runs in parallel with the test. */
  spawn(command: readonly string[], options: RunOptions = {}): RunningProgram {
    return new RunningProgram(this.#inside(command, options), outside(options));
  }

  /** Writes a file of the host, and creates its parent directories. */
  async write(file: string, text: string): Promise<void> {
    await Deno.mkdir(this.path(file.slice(0, file.lastIndexOf("/"))), { recursive: true });
    await Deno.writeTextFile(this.path(file), text);
  }

  /** Switches the host off. Programs that still run on it are killed when the test's process ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#holder.stdin.close();
    await Promise.all([this.#holder.stdout.cancel(), this.#holder.stderr.cancel()]);
    await this.#holder.status;
  }

  #inside(command: readonly string[], options: RunOptions): string[] {
    const target = ["nsenter", "--target", String(this.pid), "--net", "--mount", "--uts"];
    // After entering a mount namespace, a program is in its root directory.
    const directory = options.directory === undefined ? [] : ["env", "-C", options.directory];
    return [...target, ...dieWithUs, ...directory, ...command];
  }
}

function outside(options: RunOptions): RunOptions {
  const { directory: _, ...rest } = options;
  return rest;
}
