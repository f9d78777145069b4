/** The system's programs that tasks of this project need, and the packages that provide them. */

import { Failure } from "../src/failure.ts";

/** A program, or a library of a program. */
export interface Tool {
  /** A shell command that succeeds when the tool is installed. */
  readonly probe: string;
  /** Package of Debian. */
  readonly debian: string;
  /** Package of Arch Linux. */
  readonly arch: string;
  /** The tasks that need it: groups of tests (directories in `tests/`), and others. */
  readonly users: readonly string[];
}

function program(name: string, debian: string, arch: string, users: string): Tool {
  return { probe: `command -v ${name}`, debian, arch, users: users.split(" ") };
}

/**
 * All tools. Three users are not groups of tests: `play` is the demonstration with this machine's pacman,
 * `scenes` stands for the groups of tests that simulate hosts with this machine's programs, and `arch`
 * makes a system with Arch's programs (see {@link "./arch_root.ts"!ArchRoot}).
 */
export const tools: readonly Tool[] = [
  program(
    ...["pacman-conf", "pacman-package-manager", "pacman"] as const,
    "play scenes unit options soak bench",
  ),
  program("makepkg", "makepkg", "pacman", "play scenes"),
  program("fakeroot", "fakeroot", "fakeroot", "play scenes"),
  program("bsdtar", "libarchive-tools", "libarchive", "play scenes unit clients"),
  program("xz", "xz-utils", "xz", "unit"),
  program("bzip2", "bzip2", "bzip2", "unit"),
  program("zstd", "zstd", "zstd", "play scenes"),
  program("gpg", "gnupg", "gnupg", "play scenes"),
  program("ip", "iproute2", "iproute2", "play scenes arch peers options firewall bench"),
  program("nginx", "nginx-light", "nginx", "play scenes bench"),
  program("curl", "curl", "curl", "play scenes clients options uploads bench"),
  program("nsenter", "util-linux", "util-linux", "play scenes arch peers options bench"),
  program("git", "git", "git", "arch"),
  program("openssl", "openssl", "openssl", "unit peers options bench"),
  program("wget", "wget", "wget", "clients scenes"),
  program("lftp", "lftp", "lftp", "clients"),
  program("rclone", "rclone", "rclone", "clients"),
  program("aria2c", "aria2", "aria2", "clients scenes"),
  {
    // The test runs the system's Python, because another one in the PATH may have other modules.
    probe: "/usr/bin/python3 -c 'import requests'",
    debian: "python3-requests",
    arch: "python-requests",
    users: ["clients"],
  },
  program("python3", "python3", "python", "scenes"),
  program("unzip", "unzip", "unzip", "options clients"),
  program("chromium", "chromium", "chromium", "browser confinement"),
  program("firefox", "firefox-esr", "firefox", "browser"),
  program("iptables", "iptables", "iptables-nft", "firewall"),
  program("nft", "nftables", "nftables", "firewall"),
  program("ufw", "ufw", "ufw", "firewall"),
  program("firewall-cmd", "firewalld", "firewalld", "firewall"),
  program("dbus-daemon", "dbus", "dbus", "firewall"),
  program("ntfs-3g", "ntfs-3g", "ntfs-3g", "confinement"),
  program("debootstrap", "debootstrap", "debootstrap debian-archive-keyring", "arch"),
  program("wrk", "wrk", "wrk", "bench"),
  program("taskset", "util-linux", "util-linux", "bench"),
];

/** The `PATH` for programs. /usr/sbin, with nginx and ip, is added for Debian's ordinary users. */
export const SYSTEM_PATH = `${Deno.env.get("PATH") ?? ""}:/usr/sbin:/sbin`;

/** The tools that any of these users needs and that are not installed. */
async function missingTools(users: readonly string[]): Promise<Tool[]> {
  const wanted = tools.filter((tool) => tool.users.some((user) => users.includes(user)));
  const there = await Promise.all(wanted.map((tool) => succeeds(tool.probe)));
  return wanted.filter((_, index) => !there[index]);
}

/**
 * Makes sure that all tools of some users are installed: as root on Debian it installs them; elsewhere
 * it throws an error that says what to install.
 *
 * @param users as in {@link Tool.users}.
 * @param say gets a message before an installation.
 * @throws {Failure} when tools are missing and it may not install them, or cannot.
 */
export async function provideTools(
  users: readonly string[],
  say: (line: string) => void,
): Promise<void> {
  const missing = await missingTools(users);
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
  const still = await missingTools(users);
  if (still.length > 0) {
    const names = unique(still.map((tool) => tool.debian)).join(", ");
    throw new Failure(
      `This task needs more programs than apt-get could install: ${names} is missing.`,
    );
  }
}

/** Installs packages of Debian without asking, and without starting their services. */
async function installOnDebian(packages: readonly string[]): Promise<void> {
  const script = `
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
      # Without this file, Debian starts a service as soon as it is installed. A user who starts a
      # demonstration or a test does not want a web server on port 80.
      trap 'rm -f "$policy"' EXIT
      printf '#!/bin/sh\\nexit 101\\n' > "$policy" && chmod +x "$policy"
    fi
    new=
    for service in nginx firewalld; do command -v "$service" > /dev/null || new="$new $service"; done
    apt-get update && apt-get install -y --no-install-recommends "$@" || exit
    # Do not start new services at the next boot either.
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
