/**
 * A root file system with the versions of pacman, makepkg and systemd that Arch Linux has, for machines
 * that have other versions. It is made by debootstrap once, from Debian's next release (`forky`), or from
 * the current one (`trixie`) if that cannot be downloaded, and it is kept between runs.
 *
 * Programs that run in it share the network and the processes of this machine, but see other files.
 * Files that they write are lost when they end, except in a few directories of this machine
 * ({@link ArchRoot.enter}).
 */

import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "../src/failure.ts";
import { must, run } from "../tests/lan/process.ts";

const checkout = fileURLToPath(new URL("..", import.meta.url));

/** Releases of Debian, the newest first. */
const RELEASES = ["forky", "trixie"] as const;

/** The packages that are added to Debian's minimal system: those that the tests use that run in it. */
const PACKAGES = [
  ...["pacman-package-manager", "makepkg", "fakeroot", "file", "libarchive-tools", "gnupg"],
  ...["bzip2", "xz-utils", "zstd"],
  ...["systemd", "systemd-sysv", "systemd-container", "dbus", "iproute2", "nftables", "iptables"],
  ...["nginx-light", "curl", "wget", "aria2", "ca-certificates", "git", "openssl", "python3"],
  ...["mandoc", "zsh", "fish"],
];

/** The directory in which systems are kept. */
const CACHE = `${
  Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME") ?? "/root"}/.cache`
}/pacserve-tests`;

/** How long it may take to make a system, in milliseconds. */
const DEADLINE = 15 * 60_000;

/**
 * Makes the system `$1` of the release `$2` with the packages `$3` from the registry `$4`, unless it
 * exists. It is renamed to `$1` only when it is complete. A second run that starts meanwhile waits.
 */
const MAKE = `set -e
mkdir -p "$(dirname "$1")"
exec 9> "$1.lock"
flock 9
if [ -d "$1" ] && chroot "$1" pacman --version > /dev/null 2>&1; then exit; fi
trap 'rm -rf --one-file-system "$1.new"' EXIT
rm -rf --one-file-system "$1" "$1.new"
script=/usr/share/debootstrap/scripts/$2
# debootstrap may be older than the release, which is made as all are.
if ! [ -e "$script" ]; then script=/usr/share/debootstrap/scripts/sid; fi
debootstrap --variant=minbase --include="$3" "$2" "$1.new" $4 "$script"
chroot "$1.new" sh -ec '
  apt-get clean
  systemctl --quiet disable nginx
  rm -rf /var/lib/apt/lists/*
  # The user for downloads on Arch. The package of Debian does not create it.
  id alpm > /dev/null 2>&1 || useradd --system --no-create-home --home-dir / alpm'
mv "$1.new" "$1"`;

/** Words before a command so that all its processes and mounts end when this process ends or is killed. */
const APART = [
  ...["setpriv", "--pdeathsig", "KILL"],
  ...["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"],
];

/**
 * Runs a program in the system `$1`. The words before `--` are directories of this machine that the
 * program sees at the same path, parents first. A minus sign in front makes a directory read-only.
 */
const ENTER = `set -e
umask 022
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o "lowerdir=$1,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root
mount -t tmpfs -o mode=755 tmpfs /mnt/root/run
show() {
  mkdir -p "/mnt/root$1"
  mount --rbind "$1" "/mnt/root$1"
}
for directory in /dev /proc /sys; do show "$directory"; done
cp -L /etc/resolv.conf /etc/hosts /mnt/root/etc/ 2> /dev/null || true
while shift; [ "$1" != -- ]; do
  show "\${1#-}"
  case $1 in -*) mount -o remount,bind,ro "/mnt/root\${1#-}" ;; esac
done
shift
directory=$PWD
cd /mnt/root
pivot_root . mnt
umount -l /mnt
cd "$directory"
exec "$@"`;

/** The `PATH` of the system. The caller's may be different. */
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A system that has been made. */
export class ArchRoot {
  readonly directory: string;
  /** For messages: `Debian forky with pacman 7.1.0, …`. */
  readonly description: string;

  private constructor(directory: string, description: string) {
    this.directory = directory;
    this.description = description;
  }

  /** The system that {@link provide} has made before; null otherwise. */
  static async existing(): Promise<ArchRoot | null> {
    for (const release of RELEASES) {
      const root = await open(release);
      if (root !== null) return new ArchRoot(...root);
    }
    return null;
  }

  /**
   * Makes the system, unless it exists. This needs root, debootstrap, and a registry of Debian: the one
   * that this machine's apt uses, if any.
   *
   * @param say gets a message before work that takes minutes, and for each release that failed.
   * @throws {Failure} when no release can be installed.
   */
  static async provide(say: (line: string) => void): Promise<ArchRoot> {
    const reasons: string[] = [];
    for (const release of RELEASES) {
      const there = await open(release);
      if (there !== null) return new ArchRoot(...there);
      say(`Making a system with Arch's tools from Debian ${release} (some minutes, once) …`);
      const reason = await make(release);
      const made = await open(release);
      if (made !== null) return new ArchRoot(...made);
      reasons.push(`Debian ${release} could not be installed:\n${reason}`);
      say(reasons.at(-1) ?? "");
    }
    throw new Failure(reasons.join("\n"));
  }

  /**
   * The words before a command that make it run in the system. They `exec` the command, so that signals
   * and the exit status are the command's own. The command sees this checkout, read-only; Deno with its
   * cache; and the directory for temporary files.
   */
  async enter(): Promise<string[]> {
    const { denoDir } = JSON.parse(await must([Deno.execPath(), "info", "--json"])) as {
      denoDir: string;
    };
    const readable = [checkout, dirname(Deno.execPath()), this.directory];
    // The checkout may be a worktree of a repository in another directory, or no git checkout at all.
    const git = "git rev-parse --path-format=absolute --git-common-dir";
    const { code, stdout } = await run(["sh", "-c", git], { directory: checkout });
    if (code === 0) readable.push(stdout.trim());
    const shown = [
      ...readable.map((directory) => ({ directory, word: `-${directory}` })),
      ...[denoDir, tmpdir()].map((directory) => ({ directory, word: directory })),
    ].toSorted((one, other) => one.directory.length - other.directory.length);
    return [
      ...["unshare", "--mount", "setpriv", "--pdeathsig", "KILL", "env", `PATH=${PATH}`],
      ...["bash", "-c", ENTER, "bash", this.directory, ...shown.map(({ word }) => word), "--"],
    ];
  }
}

/** The directory of a release's system with this list of packages. */
function directoryOf(release: string): string {
  const hash = createHash("sha256").update(PACKAGES.join() + MAKE).digest("hex");
  return `${CACHE}/${release}-${hash.slice(0, 8)}`;
}

/** Directory and description of a working system of a release; null otherwise. */
async function open(release: string): Promise<[string, string] | null> {
  const directory = directoryOf(release);
  const script = `for program in pacman makepkg systemctl curl; do
    $program --version | grep -m 1 -E '[0-9]+[.][0-9]|systemd [0-9]' || exit
  done`;
  const { code, stdout } = await run(["chroot", directory, "bash", "-c", script]);
  if (code !== 0) return null;
  const version = (before: RegExp): string => {
    const [, found = "?"] = new RegExp(before.source + /\D*([\d.]+)/.source).exec(stdout) ?? [];
    return found;
  };
  const [pacman, makepkg] = [version(/Pacman/), version(/makepkg/)];
  const [systemd, libcurl] = [version(/systemd/), version(/libcurl/)];
  return [
    directory,
    `Debian ${release} with pacman ${pacman}, makepkg ${makepkg}, systemd ${systemd}, libcurl ${libcurl}`,
  ];
}

/** Makes a system; returns the last lines of the output, which say why if there is no system then. */
async function make(release: string): Promise<string> {
  const words = [directoryOf(release), release, PACKAGES.join(), await registry()];
  const command = [...APART, "bash", "-c", MAKE, "bash", ...words];
  const { stdout, stderr } = await run(command, {
    environment: { LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" },
    deadline: DEADLINE,
  });
  return (stdout + stderr).trimEnd().split("\n").slice(-4).join("\n");
}

/** The registry of Debian that this machine's apt uses; empty to let debootstrap choose. */
async function registry(): Promise<string> {
  const list = "apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages'";
  const { stdout } = await run(["sh", "-c", list]);
  return /^(?:Debian .*|.* (?=\S+\/debian\/$))(https?:\/\/\S+)$/m.exec(stdout)?.[1] ?? "";
}
