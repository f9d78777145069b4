/** The programs of the system that tasks of this project use, and how to get them. */

import { Failure, messageOf } from "../src/failure.ts";

/** Tasks that need programs of the system. */
export type Task = "demo" | "test" | "test:unit" | "bench";

/** A program (or a library of one) that the system provides. */
export interface Tool {
  /** A shell command that succeeds when it is there. */
  readonly probe: string;
  /** Package of Debian. */
  readonly debian: string;
  /** Package of Arch Linux. */
  readonly arch: string;
  readonly tasks: readonly Task[];
}

function program(name: string, debian: string, arch: string, tasks: readonly Task[]): Tool {
  return { probe: `command -v ${name}`, debian, arch, tasks };
}

const everywhere: readonly Task[] = ["demo", "test"];

/** What each task needs. */
export const tools: readonly Tool[] = [
  program("pacman-conf", "pacman-package-manager", "pacman", [...everywhere, "test:unit", "bench"]),
  program("makepkg", "makepkg", "pacman", everywhere),
  program("fakeroot", "fakeroot", "fakeroot", everywhere),
  program("bsdtar", "libarchive-tools", "libarchive", [...everywhere, "test:unit"]),
  program("zstd", "zstd", "zstd", everywhere),
  program("gpg", "gnupg", "gnupg", everywhere),
  program("ip", "iproute2", "iproute2", [...everywhere, "bench"]),
  program("nginx", "nginx-light", "nginx", [...everywhere, "bench"]),
  program("curl", "curl", "curl", [...everywhere, "bench"]),
  program("nsenter", "util-linux", "util-linux", [...everywhere, "bench"]),
  program("git", "git", "git", ["test"]),
  program("openssl", "openssl", "openssl", ["test", "bench"]),
  program("wget", "wget", "wget", ["test"]),
  program("aria2c", "aria2", "aria2", ["test"]),
  {
    // The system's own Python, which the test runs: another in the PATH may have other modules.
    probe: "/usr/bin/python3 -c 'import requests'",
    debian: "python3-requests",
    arch: "python-requests",
    tasks: ["test"],
  },
  program("chromium", "chromium", "chromium", ["test"]),
  program("iptables", "iptables", "iptables-nft", ["test"]),
  program("nft", "nftables", "nftables", ["test"]),
  program("ufw", "ufw", "ufw", ["test"]),
  program("firewall-cmd", "firewalld", "firewalld", ["test"]),
  program("dbus-daemon", "dbus", "dbus", ["test"]),
  program("ntfs-3g", "ntfs-3g", "ntfs-3g", ["test"]),
  program("mandoc", "mandoc", "mandoc", ["test"]),
  program("systemd-analyze", "systemd", "systemd", ["test"]),
  program("debootstrap", "debootstrap", "debootstrap", ["test"]),
  program("systemd-nspawn", "systemd-container", "systemd", ["test"]),
  program("zsh", "zsh", "zsh", ["test"]),
  program("fish", "fish", "fish", ["test"]),
  program("wrk", "wrk", "wrk", ["bench"]),
  program("taskset", "util-linux", "util-linux", ["bench"]),
];

/** Where programs are looked for. Debian's ordinary users have no /usr/sbin there, where nginx and ip are. */
export const SYSTEM_PATH = `${Deno.env.get("PATH") ?? ""}:/usr/sbin:/sbin`;

/** The tools of a task that this machine lacks. */
export async function missingTools(task: Task): Promise<Tool[]> {
  const wanted = tools.filter((tool) => tool.tasks.includes(task));
  const there = await Promise.all(wanted.map((tool) => succeeds(tool.probe)));
  return wanted.filter((_, index) => !there[index]);
}

/**
 * Sees to it that the tools of a task are there: on Debian, root installs them; elsewhere the message
 * names what to install.
 *
 * @param say is told what is going on, where it takes long.
 * @throws Failure when some are missing and it may not install them, or cannot.
 */
export async function provideTools(task: Task, say: (line: string) => void): Promise<void> {
  const missing = await missingTools(task);
  if (missing.length === 0) return;
  const on = async (command: string): Promise<boolean> => await succeeds(`command -v ${command}`);
  const debian = unique(missing.map((tool) => tool.debian));
  if (!await on("apt-get")) {
    const arch = unique(missing.map((tool) => tool.arch));
    throw new Failure(`This task needs more programs: pacman -S --needed ${arch.join(" ")}`);
  }
  if (Deno.uid() !== 0) {
    throw new Failure(`This task needs more programs: sudo apt-get install ${debian.join(" ")}`);
  }
  say(`Installing ${debian.join(", ")} (a minute or two) …`);
  await installOnDebian(debian);
  const still = await missingTools(task);
  if (still.length > 0) {
    const names = unique(still.map((tool) => tool.debian)).join(", ");
    throw new Failure(`apt-get did not bring all that this task needs: ${names} is missing.`);
  }
}

/** Installs packages of Debian without a question and without starting any service of theirs. */
async function installOnDebian(packages: readonly string[]): Promise<void> {
  const script = `
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
      # Debian starts a service as soon as it is installed, unless this file says no. A web server on
      # port 80 is not what somebody asks for who wants to see a demonstration.
      trap 'rm -f "$policy"' EXIT
      printf '#!/bin/sh\\nexit 101\\n' > "$policy" && chmod +x "$policy"
    fi
    new=
    for service in nginx firewalld; do command -v "$service" > /dev/null || new="$new $service"; done
    apt-get update && apt-get install -y --no-install-recommends "$@" || exit
    # Nor at the next boot.
    for service in $new; do
      if command -v "$service" && command -v systemctl; then systemctl disable "$service"; fi
    done > /dev/null 2>&1
    exit 0`;
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", script, "bash", ...packages],
    env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" },
    stdin: "null",
  }).output();
  if (code !== 0) {
    const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    const reason = output.trimEnd().split("\n").slice(-12).join("\n");
    throw new Failure(`apt-get could not install ${packages.join(" ")}:\n${reason}`);
  }
}

async function succeeds(command: string): Promise<boolean> {
  const { success } = await new Deno.Command("sh", {
    args: ["-c", command],
    env: { PATH: SYSTEM_PATH },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}

if (import.meta.main) {
  try {
    await provideTools(Deno.args[0] as Task ?? "test", (line) => console.error(line));
  } catch (thrown) {
    console.error(messageOf(thrown));
    Deno.exit(1);
  }
}
