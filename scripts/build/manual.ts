/** What the man pages say beyond the tables of options, from which `--help` is made too. */

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

/** The parts of a command's page that `--help` leaves out. */
export interface Manual {
  readonly sections?: readonly Section[];
  /** Every option, even `--help`, is another program's. */
  readonly hasNoOptions?: true;
  /** Variables of the environment. */
  readonly environment?: readonly Term[];
  /** Files that the command reads or writes. */
  readonly files?: readonly { readonly path: string; readonly meaning: string }[];
  /** Where it is not the usual one. */
  readonly exitStatus?: string;
  /** Other pages: `pacman(8)`. */
  readonly seeAlso: readonly string[];
}

const FIREWALL_RELOADS: Section = {
  title: "Reloads of the firewall",
  content: [
    "When the firewall reads its own rules again (nft -f, ufw reload, firewall-cmd --reload, a restart " +
    "of its service), it may drop those of others, while pacserve-ports.service stays active. Open the " +
    "ports again with",
    { literal: "systemctl reload pacserve-ports" },
  ],
};

const CHECKS: Section = {
  title: "Checks",
  content: [
    "Each line of --check has a result: well; wrong, with what cures it behind an arrow; or unknown, with the " +
    "reason. With --json they are in the list checks, each with the fields name, result, text and, where " +
    "something is wrong, cure; the names do not change from version to version.",
    {
      terms: [
        { word: "service", meaning: "It answers; what systemd says of its unit." },
        { word: "version", meaning: "The one that runs is the one that is installed." },
        {
          word: "port",
          meaning:
            "The same pacserve answers at every address of this machine, and no other server.",
        },
        { word: "ipv6", meaning: "A machine with IPv6 alone takes part." },
        {
          word: "name",
          meaning:
            "It answers to the names of this machine, those of /etc/hosts and of the name server included.",
        },
        {
          word: "announcement",
          meaning: "One that it makes now comes back to it, by each means and on each interface.",
        },
        { word: "peers", meaning: "Some answer; else where they are looked for." },
        {
          word: "firewall",
          meaning:
            "A peer has come in within the last hour, or nothing turns packets away, or the rules of pacserve.conf(5) are open. Without root the firewall cannot be read.",
        },
        {
          word: "address file",
          meaning: "/etc/pacman.d/pacserve leads to the pacserve that runs.",
        },
        {
          word: "pacman.conf",
          meaning:
            "pacman can use it; each repository asks pacserve before its mirrors, or none does; CacheServer lines suit the version of pacman.",
        },
        {
          word: "signatures",
          meaning: "SigLevel requires signatures of packages, by keys that are trusted.",
        },
        { word: "cache", meaning: "The service can read the packages in each CacheDir." },
        {
          word: "databases",
          meaning: "It can read the sync databases, by which it verifies what peers give.",
        },
        { word: "disk", meaning: "There is a gibibyte of room for downloads." },
        { word: "mirrors", meaning: "The first six of each repository have its database." },
        { word: "clock", meaning: "It agrees with those of mirrors and peers within two minutes." },
      ],
    },
  ],
};

/** The page that lists the tasks. */
const TASKS = "pacserve-tasks(7)";

const SERVER_PAGES = ["curl(1)", "openssl-req(1)", TASKS];

const ROOT_CACHE = "Copies of configurations that pacsrv(8) makes for root, and what the runtime " +
  "keeps to start root's commands faster.";

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
      { path: "/etc/pacman.d/pacserve", meaning: "Where pacman finds this server." },
      { path: "/run/pacserve/root", meaning: "What the service sees of the system." },
      { path: "/var/cache/pacserve", meaning: ROOT_CACHE },
      {
        path: "/var/cache/pacserve-deno",
        meaning: "What the runtime of the service keeps to start faster.",
      },
      {
        path: "/var/cache/pacserve-spool",
        meaning: "Packages on their way to pacman, in files without names.",
      },
      {
        path: "/var/lib/pacserve-status",
        meaning:
          "The counters that pacserve-status(1) shows. One that cannot be read is renamed to " +
          "counters.json.broken.",
      },
      {
        path: "/usr/share/libalpm/hooks/pacserve.hook",
        meaning: "Has pacman say what came from the LAN, see THE HOOK.",
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
        meaning: "The program to run instead of pacman. pacsrv itself is ignored there, since " +
          "makepkg(8) reads this variable, too.",
      },
      {
        word: "XDG_CACHE_HOME",
        meaning: "The directory of caches of a user who is not root. Default: ~/.cache.",
      },
    ],
    files: [
      { path: "/etc/pacman.d/pacserve", meaning: "Where pacserve answers." },
      { path: "/var/cache/pacserve", meaning: ROOT_CACHE },
      { path: "~/.cache/pacserve", meaning: "The same of another user." },
    ],
    exitStatus: "That of pacman.",
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
      { path: "/etc/pacman.d/pacserve", meaning: "What the inserted lines include." },
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
      { path: "/etc/pacman.d/pacserve", meaning: "Where pacserve answers." },
      { path: "/etc/pacman.conf", meaning: "What --check examines, with what it includes." },
      { path: "/etc/conf.d/pacserve", meaning: "The settings of the service, for --check." },
      {
        path: "/usr/share/doc/pacserve/doc/status.md",
        meaning: "The fields of the JSON, the metrics, and a dashboard for Grafana.",
      },
    ],
    exitStatus:
      "0 when all is well, 1 when something is wrong, which the first lines say, 2 for wrong " +
      "usage, and 3 when pacserve does not run.",
    seeAlso: [TASKS, "pacserve(8)", "pacsrv(8)"],
  },
  "pacserve-ports": {
    sections: [FIREWALL_RELOADS],
    files: [
      { path: "/etc/conf.d/pacserve", meaning: "The rules, see pacserve.conf(5)." },
      { path: "/run/pacserve-ports/state", meaning: "What was opened and is to be closed again." },
    ],
    exitStatus: "0 on success, 1 for a failure at run time, 2 for wrong usage, and 3 when status " +
      "finds something closed.",
    seeAlso: ["pacserve.conf(5)", TASKS, "iptables(8)", "nft(8)", "pacserve(8)"],
  },
};
