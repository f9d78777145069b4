/** The options of `pacserve` and `quickserve`: pacserve has all of quickserve's and a few of its own. */

import { ARCHIVE_FORMATS } from "../../quickserve/configuration.ts";
import type { Command, Option, OptionGroup } from "../command.ts";

/** The two servers. */
export type Program = "pacserve" | "quickserve";

/** Values that a server takes where the command line says nothing. */
interface ServeDefaults {
  readonly port: number;
  readonly multicastGroup: string;
  readonly multicastPort: number;
}

/** Seconds between announcements, in both programs. */
export const MULTICAST_INTERVAL = 300;

/** Milliseconds that a search among the peers may take. */
export const SEARCH_TIMEOUT = 300;

/** Where packages are kept on their way to pacman. */
export const SPOOL_DIRECTORY = "/var/cache/pacserve-spool";

/** The same for a server that cannot write there. Not in /tmp, which is memory on Arch. */
export const SPOOL_DIRECTORY_BY_HAND = "/var/tmp/pacserve-spool";

/** How much may be kept there. */
export const SPOOL_SIZE = "4G";

/** Where the service keeps its counters. */
export const STATE_DIRECTORY = "/var/lib/pacserve-status";

/** Where pacman keeps its configuration. */
export const PACMAN_CONF = "/etc/pacman.conf";

/** The defaults of each program (the manual's). */
export const DEFAULTS: Readonly<Record<Program, ServeDefaults>> = {
  pacserve: { port: 15678, multicastGroup: "224.3.45.67", multicastPort: 15679 },
  quickserve: { port: 8000, multicastGroup: "224.3.45.66", multicastPort: 15680 },
};

const PACSERVE_OPTIONS: OptionGroup = {
  title: "Pacserve Options",
  options: [
    {
      name: "pacman-conf",
      values: ["<filepath>"],
      completes: "file",
      help: "The pacman configuration file that names caches, repositories and mirrors. " +
        "Changes to it and to the files it includes are noticed. A machine without pacman, such as " +
        "a NAS, needs none, and shares only the paths that are named.",
      default: PACMAN_CONF,
    },
    {
      name: "trust-pacserve-peers",
      help: "Let databases and other files that are no packages come from peers too, instead of " +
        "from a mirror, and signatures also where pacman does not require them. (Those that it " +
        "requires, and packages, may anyway.) Use it only if you trust the peers.",
    },
    {
      name: "redirect",
      help:
        "Redirect this machine's pacman to peers and mirrors, as other machines' clients are, " +
        "instead of fetching, verifying and passing on what it asks for.",
    },
    {
      name: "spool-directory",
      values: ["<directory>"],
      completes: "directory",
      help:
        "Where packages are kept on their way to pacman until they are verified. It should not be " +
        "in memory, as /tmp is on Arch. Without a directory that can be written to, packages of more " +
        "than 2 MiB come from mirrors only.",
      default: `${SPOOL_DIRECTORY}, or ${SPOOL_DIRECTORY_BY_HAND} if that cannot be used`,
    },
    {
      name: "spool-size",
      values: ["<size>"],
      help: "The most that may be kept there, and never more than half of what is free.",
      default: SPOOL_SIZE,
    },
    {
      name: "state-directory",
      values: ["<directory>"],
      completes: "directory",
      help:
        "Where the counters of pacserve-status(1) are kept from one start to the next. One server at a " +
        "time can use it. With --port 0, and where there is none, they begin anew.",
      default: `${STATE_DIRECTORY}, or pacserve in $XDG_STATE_HOME (~/.local/state)`,
    },
    {
      name: "allow-metrics",
      values: ["<network>"],
      repeatable: true,
      help: "Answer requests for /metrics, in the format of Prometheus, from these networks (or " +
        "addresses) too, without a password. This machine may always see them, and others never.",
    },
  ],
};

const DOWNLOAD_OPTIONS: OptionGroup = {
  title: "File Download Options",
  options: [
    {
      name: "root",
      values: ["<directory>"],
      completes: "directory",
      help:
        "Make this directory the root of the server and ignore all other paths, for example to " +
        "test a static website. Its pages may run script, but not what was uploaded into it.",
    },
    {
      name: "filelist",
      short: "f",
      values: ["<filepath>"],
      completes: "file",
      repeatable: true,
      help: "A file that says what to share: plain text with a path a line, or a JSON object " +
        "from server paths to a file, a directory, or a list of them, whose directories are " +
        "merged. It is reloaded when it changes.",
    },
    {
      name: "filter",
      values: ["<ix><regex>"],
      repeatable: true,
      help: "Include (i) or exclude (x) the server paths in which the regular expression is " +
        "found, for example 'x\\.iso$'. Filters apply in order, the last match decides, " +
        "and what no filter matches is shared.",
    },
    {
      name: "filterlist",
      values: ["<filepath>"],
      completes: "file",
      repeatable: true,
      help: "A file with a filter a line (# begins a comment), applied before those of the " +
        "command line. It is reloaded when it changes.",
    },
    { name: "show-hidden", help: "Share hidden files and directories." },
    {
      name: "follow-links",
      help: "Follow symbolic links that lead out of what is shared. Without it they are absent.",
    },
  ],
};

const UPLOAD_OPTIONS: OptionGroup = {
  title: "File Upload Options",
  options: [
    {
      name: "upload",
      values: ["<directory>"],
      completes: "directory",
      help: "Enable uploads and save uploaded files in this directory. It is not shared, unless " +
        "it is named among the paths, too: then its listings and those of the directories below " +
        "it take uploads for themselves.",
    },
    {
      name: "allow-overwrite",
      help: "Let an uploaded file replace one of the same name. Without it the new one is stored " +
        "as name.1.txt, name.2.txt and so on.",
    },
    {
      name: "max-upload-size",
      values: ["<size>"],
      help: "Refuse uploads of more bytes than this; K, M, G and T are powers of 1024.",
      default: "no limit",
    },
  ],
};

const CONTENT_OPTIONS: OptionGroup = {
  title: "Content Options",
  options: [
    {
      name: "motd",
      values: ["<filepath>"],
      completes: "file",
      help: "A text file shown above every listing. It is reloaded when it changes.",
    },
    {
      name: "index",
      values: ["<filename>"],
      help: "The page that is shown, if it is there, when a directory is asked for.",
    },
    {
      name: "tar",
      values: ["<format>"],
      choices: ARCHIVE_FORMATS,
      repeatable: true,
      help: "Offer each directory as a tar, plain (none) or compressed (gz, zst), or as a zip " +
        "file. Each format that follows belongs to it: before a path called zip, write --.",
    },
  ],
};

const PEER_OPTIONS: OptionGroup = {
  title: "MulticastQuickserve Options",
  options: [
    {
      name: "peer",
      values: ["<scheme>://<host>:<port>/"],
      repeatable: true,
      help: 'A static peer, for example "http://10.0.0.2:8000/".',
    },
    { name: "list-remote", help: "Include the files of the peers in directory listings." },
    {
      name: "search-timeout",
      values: ["<milliseconds>"],
      help: "The longest that a search among the peers may take.",
      default: String(SEARCH_TIMEOUT),
    },
  ],
};

function addressOptions(defaults: ServeDefaults): OptionGroup {
  return {
    title: "Server Address and Port",
    description: "Configure the server's listening address and port, and who may come in.",
    options: [
      {
        name: "address",
        short: "a",
        values: ["<address>"],
        completes: "interface",
        help:
          "Bind the server to this address (localhost, fe80::1%eth0), or to that of this network " +
          "interface.",
        default: "all interfaces",
      },
      {
        name: "port",
        short: "p",
        values: ["<port>"],
        help: "The TCP port; 0 for any free one.",
        default: String(defaults.port),
      },
      {
        name: "ipv6",
        help: "Listen on IPv6 too, where this machine has it, and ask peers by IPv6 addresses.",
      },
      {
        name: "allow-network",
        values: ["<network>"],
        repeatable: true,
        help: "Answer only clients in these networks (10.0.0.0/8, fd00::/8), and this machine. " +
          "Others get 403 and are never peers. Given once, it takes the place of the default: " +
          "name your LAN, too. Without it, only servers in the networks of this machine's " +
          "interfaces can become peers by themselves; others are named with --peer.",
        default: "private and link-local ranges, and the networks of this machine's interfaces",
      },
      {
        name: "server-name",
        values: ["<name>"],
        repeatable: true,
        help: "A name, besides this machine's own, under which clients may address the server.",
      },
    ],
  };
}

const AUTHENTICATION_OPTIONS: OptionGroup = {
  title: "HTTP Authentication",
  description: "HTTP digest authentication with user names and passwords.",
  options: [
    {
      name: "auth",
      values: ["<user>", "<password>"],
      repeatable: true,
      help: "A user name and a password. Other users of this machine can see them in the list of " +
        "processes: --authfile keeps them out of it.",
    },
    {
      name: "authfile",
      values: ["<filepath>"],
      completes: "file",
      help: "A file of alternating lines of user names and passwords. Reloaded when it changes.",
    },
    { name: "auth-upload-only", help: "Ask for a password only to upload; reading is open." },
  ],
};

const TLS_OPTIONS: OptionGroup = {
  title: "SSL (HTTPS)",
  description: "Encrypted connections. A self-signed certificate protects only clients that " +
    "know it; the man page has the command that makes one (CERTIFICATES).",
  options: [
    { name: "ssl", help: "Enable SSL (HTTPS)." },
    {
      name: "certfile",
      values: ["<filepath>"],
      completes: "file",
      help: "The server's certificate and its chain, in PEM. Reloaded when it is renewed.",
    },
    {
      name: "keyfile",
      values: ["<filepath>"],
      completes: "file",
      help: "The server's private key, in PEM.",
      default: "in the certificate's file",
    },
    { name: "req-cert", help: "Require a certificate from the client." },
    {
      name: "ca-certs",
      values: ["<filepath>"],
      completes: "file",
      help: "Concatenated CA certificates that client certificates are verified with. Client " +
        "certificates have to be X.509 version 3.",
      default: "the server's own certificate",
    },
  ],
};

const MDNS_OPTION: Option = {
  name: "mdns",
  help:
    "Announce this server by multicast DNS (as the service _pacserve._tcp) and detect others, " +
    "pacredir hosts among them. It passes where --multicast does not, such as many Wi-Fi access " +
    "points, and knows IPv6. avahi-daemon and systemd-resolved are neither needed nor disturbed.",
};

function multicastOptions(program: Program): OptionGroup {
  const defaults = DEFAULTS[program];
  return {
    title: "Multicast Options",
    description: "How servers of the same kind find each other on the local network.",
    options: [
      { name: "multicast", help: "Announce this server by multicast and detect others." },
      ...(program === "pacserve" ? [MDNS_OPTION] : []),
      {
        name: "multicast-address",
        values: ["<address>"],
        help: "The address to which the multicast socket is bound.",
        default: "0.0.0.0",
      },
      {
        name: "multicast-port",
        values: ["<port>"],
        help: "The multicast port.",
        default: String(defaults.multicastPort),
      },
      {
        name: "multicast-group",
        values: ["<group>"],
        help: "The multicast group.",
        default: defaults.multicastGroup,
      },
      {
        name: "multicast-interval",
        values: ["<seconds>"],
        help: "The time between announcements.",
        default: String(MULTICAST_INTERVAL),
      },
      {
        name: "multicast-interface",
        values: ["<interface>"],
        completes: "interface",
        repeatable: true,
        help: "Announce and listen only on this interface (a name or one of its addresses).",
        default: "every interface that is not ignored",
      },
      {
        name: "multicast-ignore",
        values: ["<pattern>"],
        completes: "interface",
        repeatable: true,
        help: "Neither announce nor listen on the interfaces whose names match (with * for any " +
          "characters). Given once, it takes the place of the default.",
        default: "the names that containers, virtual machines and VPNs use",
      },
    ],
  };
}

const OUTPUT_OPTIONS: OptionGroup = {
  title: "Output",
  options: [
    { name: "quiet", help: "Write warnings and errors only, no line for each request." },
    { name: "verbose", help: "Write also what peers do, and why a source was chosen." },
    { name: "qr", help: "Show the server's address as a QR code at start." },
    {
      name: "print-permissions",
      help: "Show what the runtime lets this command read, write, run and connect to, and exit.",
    },
  ],
};

/** The table of `pacserve` or `quickserve`. */
export function serveCommand(program: Program): Command {
  const defaults = DEFAULTS[program];
  const groups = [
    DOWNLOAD_OPTIONS,
    UPLOAD_OPTIONS,
    CONTENT_OPTIONS,
    PEER_OPTIONS,
    addressOptions(defaults),
    AUTHENTICATION_OPTIONS,
    TLS_OPTIONS,
    multicastOptions(program),
    OUTPUT_OPTIONS,
  ];
  return program === "pacserve" ? pacserveCommand(groups) : quickserveCommand(groups);
}

function pacserveCommand(groups: readonly OptionGroup[]): Command {
  return {
    name: "pacserve",
    section: 8,
    summary: "share pacman packages over your LAN",
    description: [
      "Serves pacman's requests from the local package cache, else from another machine on the " +
      "LAN that has the package, else from a mirror. pacsrv runs pacman through it.",
    ],
    positional: {
      metavariable: "[<filepath> ...]",
      help: "Additional files and directories to share. They appear under their own names in " +
        "the server's root; a directory named pkg is merged with the package caches.",
    },
    groups: [PACSERVE_OPTIONS, ...groups],
    examples: [
      {
        explanation: "Share the package cache and find other machines:",
        command: "pacserve --multicast --mdns",
      },
      {
        explanation: "Without multicast, with one known machine:",
        command: "pacserve --peer http://10.0.0.2:15678/",
      },
      {
        explanation: "With the packages of a build directory too:",
        command: "pacserve --multicast --mdns ~/builds/pkg",
      },
    ],
  };
}

function quickserveCommand(groups: readonly OptionGroup[]): Command {
  return {
    name: "quickserve",
    section: 1,
    summary: "share files and directories with one command",
    description: [
      "Shares files and directories over HTTP, with uploads, passwords, encryption and the files " +
      "of other servers on the LAN as you ask for them.",
    ],
    positional: {
      metavariable: "[<filepath> ...]",
      help: "Files and directories to share, each under its own name in the server's root. " +
        "Default: the current directory, unless --root, --filelist or --upload is given.",
    },
    groups,
    examples: [
      { explanation: "Share a directory and a file:", command: "quickserve ~/Music notes.pdf" },
      {
        explanation: "Let others send files, and show a code for a phone:",
        command: "quickserve --upload ~/incoming --qr",
      },
      {
        explanation: "Serve a static website on port 8080 to this machine only:",
        command: "quickserve --root public --index index.html -a 127.0.0.1 -p 8080",
      },
    ],
  };
}
