/** The text of the man pages that is not in the tables of options, which `--help` uses, too. */

import type { Section, Term } from "./manual_section.ts";
import {
  DROP_INS,
  HOOK,
  MASTER,
  MIRRORS,
  PACMAN_ITSELF,
  SERVICE,
  STATUS,
  WITHOUT_MULTICAST,
} from "./pacserve_manual.ts";
import {
  CERTIFICATES,
  CLIENTS,
  DATA,
  FILELISTS,
  FILTERS,
  logSection,
  originalServers,
  SIGNALS,
} from "./server_manual.ts";

/** The parts of a command's page that `--help` does not show. */
export interface Manual {
  readonly sections?: readonly Section[];
  /** Set when all options, even `--help`, belong to another program. */
  readonly hasNoOptions?: true;
  /** Variables of the environment. */
  readonly environment?: readonly Term[];
  /** Files that the command reads or writes. */
  readonly files?: readonly { readonly path: string; readonly meaning: string }[];
  /** The text on the exit status, if it is not the usual one. */
  readonly exitStatus?: string;
  /** Other pages: `pacman(8)`. */
  readonly seeAlso: readonly string[];
}

const FIREWALL_RELOADS: Section = {
  title: "Reloads of the firewall",
  content: [
    "When the firewall reloads its rules (nft -f, ufw reload, firewall-cmd --reload, a restart of its " +
    "service), it may drop the rules of pacserve-ports, although pacserve-ports.service stays active. " +
    "Open the ports again with",
    { literal: "systemctl reload pacserve-ports" },
  ],
};

const CHECKS: Section = {
  title: "Checks",
  content: [
    "Each line of --check has a result: well; wrong, followed by an arrow and a way to cure it; or unknown, " +
    "with the reason. With --json the results are in the list checks, each with the fields name, result, " +
    "text and, if something is wrong, cure. The names do not change between versions. These are the " +
    "names, each with the condition for the result well:",
    {
      terms: [
        {
          word: "service",
          meaning: "pacserve answers, and systemd reports no problem with its unit.",
        },
        { word: "version", meaning: "The running version is the installed one." },
        {
          word: "port",
          meaning:
            "The same pacserve, and no other server, answers at every address of this machine.",
        },
        { word: "ipv6", meaning: "Machines that have only IPv6 can use pacserve." },
        {
          word: "name",
          meaning:
            "pacserve answers requests with any name of this machine, including the names in /etc/hosts and on the name server.",
        },
        {
          word: "announcement",
          meaning:
            "pacserve receives a new announcement of its own, by each means of discovery and on each interface.",
        },
        {
          word: "peers",
          meaning: "Some peers answer. If none does, the text says where pacserve looks for them.",
        },
        {
          word: "firewall",
          meaning:
            "A peer sent a request within the last hour, or no firewall blocks packets, or the ports of the rules in pacserve.conf(5) are open. Only root can read the firewall.",
        },
        {
          word: "address file",
          meaning: "/etc/pacman.d/pacserve has the address of the running pacserve.",
        },
        {
          word: "pacman.conf",
          meaning:
            "pacman accepts it; in each repository, or in none, pacserve is before the mirrors; and the installed pacman supports its CacheServer lines.",
        },
        {
          word: "signatures",
          meaning: "SigLevel requires packages to be signed with trusted keys.",
        },
        { word: "cache", meaning: "The service can read the packages in each CacheDir." },
        {
          word: "databases",
          meaning:
            "The service can read the sync databases, with which it verifies files from peers.",
        },
        { word: "disk", meaning: "There is at least 1 GiB of free space for downloads." },
        { word: "mirrors", meaning: "The first six mirrors of each repository have its database." },
        {
          word: "clock",
          meaning: "The clock differs from those of mirrors and peers by at most two minutes.",
        },
      ],
    },
  ],
};

/** The page that lists the tasks. */
const TASKS = "pacserve-tasks(7)";

const SERVER_PAGES = ["curl(1)", "openssl-req(1)", TASKS];

const ROOT_CACHE =
  "Copies of configurations that pacsrv(8) makes for root, and files with which the " +
  "runtime starts root's commands faster.";

/** The manuals by the names of the commands. */
export const MANUALS: Readonly<Record<string, Manual>> = {
  "pacserve": {
    sections: [
      SERVICE,
      STATUS,
      PACMAN_ITSELF,
      HOOK,
      DROP_INS,
      WITHOUT_MULTICAST,
      MIRRORS,
      MASTER,
      FILELISTS,
      FILTERS,
      CERTIFICATES,
      logSection("pacserve"),
      SIGNALS,
      originalServers("pacserve"),
    ],
    files: [
      { path: "/etc/conf.d/pacserve", meaning: "Options and firewall rules of the services." },
      { path: "/etc/pacman.conf", meaning: "Caches, repositories and mirrors." },
      { path: "/etc/pacman.d/pacserve", meaning: "The address of this server, for pacman." },
      { path: "/run/pacserve/root", meaning: "The files of the system that the service can see." },
      { path: "/var/cache/pacserve", meaning: ROOT_CACHE },
      {
        path: "/var/cache/pacserve-deno",
        meaning: "Files with which the runtime of the service starts faster.",
      },
      {
        path: "/var/cache/pacserve-spool",
        meaning: "Packages that are being passed on to pacman, in files without names.",
      },
      {
        path: "/var/lib/pacserve-status",
        meaning:
          "The counters that pacserve-status(1) shows. A file that cannot be parsed is renamed to " +
          "counters.json.broken.",
      },
      {
        path: "/usr/share/libalpm/hooks/pacserve.hook",
        meaning: "Makes pacman report how much came from the LAN, see THE HOOK.",
      },
    ],
    seeAlso: [
      ...SERVER_PAGES,
      "pacserve-status(1)",
      "quickserve(1)",
      "pacman.conf(5)",
      "pacserve.conf(5)",
      "systemd.exec(5)",
      "pacman(8)",
      "pacman.conf-insert_pacserve(8)",
      "pacserve-ports(8)",
      "pacsrv(8)",
    ],
  },
  "quickserve": {
    sections: [
      CLIENTS,
      DATA,
      FILELISTS,
      FILTERS,
      CERTIFICATES,
      logSection("quickserve"),
      SIGNALS,
      originalServers("quickserve"),
    ],
    seeAlso: [...SERVER_PAGES, "pacserve(8)"],
  },
  "pacsrv": {
    hasNoOptions: true,
    environment: [
      {
        word: "PACMAN",
        meaning: "The program to run instead of pacman. The value pacsrv is ignored: it is " +
          "useful for makepkg(8), which reads this variable, too.",
      },
      {
        word: "XDG_CACHE_HOME",
        meaning: "The directory for caches of a user other than root. Default: ~/.cache.",
      },
    ],
    files: [
      { path: "/etc/pacman.d/pacserve", meaning: "The address of pacserve." },
      { path: "/var/cache/pacserve", meaning: ROOT_CACHE },
      { path: "~/.cache/pacserve", meaning: "The same for other users." },
    ],
    exitStatus: "The exit status of pacman.",
    seeAlso: [
      "pacman.conf(5)",
      TASKS,
      "pacman(8)",
      "pacman.conf-insert_pacserve(8)",
      "pacserve(8)",
    ],
  },
  "pacman.conf-insert_pacserve": {
    files: [
      { path: "/etc/pacman.conf", meaning: "The configuration that is read." },
      { path: "/etc/pacman.d/pacserve", meaning: "The file that the inserted lines include." },
    ],
    seeAlso: ["pacman.conf(5)", TASKS, "pacserve(8)", "pacsrv(8)"],
  },
  "pacserve-status": {
    sections: [CHECKS],
    environment: [
      {
        word: "NO_COLOR",
        meaning: "If it is set and not empty, the text has no colours (https://no-color.org).",
      },
    ],
    files: [
      { path: "/etc/pacman.d/pacserve", meaning: "The address of pacserve." },
      {
        path: "/etc/pacman.conf",
        meaning: "The configuration that --check examines, with the files that it includes.",
      },
      { path: "/etc/conf.d/pacserve", meaning: "The settings of the service, for --check." },
      {
        path: "/usr/share/doc/pacserve/doc/status.md",
        meaning: "The fields of the JSON, the metrics, and a dashboard for Grafana.",
      },
    ],
    exitStatus:
      "0 when all is well, 1 when something is wrong (the first lines say what), 2 for wrong " +
      "usage, and 3 when pacserve does not run.",
    seeAlso: [TASKS, "pacserve(8)", "pacsrv(8)"],
  },
  "pacserve-ports": {
    sections: [FIREWALL_RELOADS],
    files: [
      { path: "/etc/conf.d/pacserve", meaning: "The rules, see pacserve.conf(5)." },
      {
        path: "/run/pacserve-ports/state",
        meaning: "The open ports that pacserve-ports closes again.",
      },
    ],
    exitStatus: "0 on success, 1 for a failure at run time, 2 for wrong usage, and 3 when status " +
      "finds a closed port.",
    seeAlso: ["pacserve.conf(5)", TASKS, "iptables(8)", "nft(8)", "pacserve(8)"],
  },
};
