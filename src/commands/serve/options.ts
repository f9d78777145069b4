/** The options of `pacserve` and `quickserve`: pacserve has all options of quickserve and a few more. */

import { ARCHIVE_FORMATS } from "../../quickserve/configuration.ts";
import type { Command, Option, OptionGroup } from "../command.ts";

/** The two servers. */
export type Program = "pacserve" | "quickserve";

/** Values that a server uses when the command line does not set them. */
interface ServeDefaults {
  readonly port: number;
  readonly multicastGroup: string;
  readonly multicastPort: number;
}

/** Seconds between announcements, in both programs. */
export const MULTICAST_INTERVAL = 300;

/** The time limit of a search among the peers in milliseconds. */
export const SEARCH_TIMEOUT = 300;

/** The directory in which the service stores packages while it passes them on to pacman. */
export const SPOOL_DIRECTORY = "/var/cache/pacserve-spool";

/** The same directory for a server that cannot write there. It is not in /tmp, which is in memory on Arch. */
export const SPOOL_DIRECTORY_BY_HAND = "/var/tmp/pacserve-spool";

/** The greatest total size of the packages in it. */
export const SPOOL_SIZE = "4G";

/** The directory in which the service stores its counters. */
export const STATE_DIRECTORY = "/var/lib/pacserve-status";

/** The default configuration file of pacman. */
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
      help:
        "The pacman configuration file with the caches, repositories and mirrors. It and the files " +
        "that it includes are reloaded when they change. A machine without pacman, such as a NAS, " +
        "needs none, and shares only the paths on the command line.",
      default: PACMAN_CONF,
    },
    {
      name: "trust-pacserve-peers",
      help: "Let peers provide databases and other files that are not packages, too, and also " +
        "signatures that pacman does not require. (Without this option, they provide packages and " +
        "the signatures that pacman requires.) Use it only if you trust the peers.",
    },
    {
      name: "redirect",
      help:
        "Redirect this machine's pacman to peers and mirrors, as is done with clients on other machines, " +
        "instead of downloading files for it, verifying them and passing them on.",
    },
    {
      name: "spool-directory",
      values: ["<directory>"],
      completes: "directory",
      help:
        "The directory in which packages are stored until they are verified and pacman has them. It should " +
        "not be in memory, as /tmp is on Arch. If no directory is writable, packages of more than " +
        "2 MiB come from mirrors only.",
      default: `${SPOOL_DIRECTORY}, or ${SPOOL_DIRECTORY_BY_HAND} if that is not writable`,
    },
    {
      name: "spool-size",
      values: ["<size>"],
      help:
        "The greatest total size of the packages in that directory. It is never more than half of the free " +
        "space; K, M, G and T are powers of 1024.",
      default: SPOOL_SIZE,
    },
    {
      name: "state-directory",
      values: ["<directory>"],
      completes: "directory",
      help:
        "The directory in which the counters of pacserve-status(1) are saved, so that a restart keeps them. " +
        "Only one server at a time can use it. With --port 0, or if there is no such directory, the " +
        "counters begin at zero.",
      default: `${STATE_DIRECTORY}, or pacserve in $XDG_STATE_HOME (~/.local/state)`,
    },
    {
      name: "allow-metrics",
      values: ["<network>"],
      repeatable: true,
      help: "Answer requests for /metrics (in the format of Prometheus) from these networks or " +
        "addresses, too, without a password. This machine is always answered, and all others never.",
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
        "test a static website. Its pages may run scripts, but files uploaded into it may not.",
    },
    {
      name: "filelist",
      short: "f",
      values: ["<filepath>"],
      completes: "file",
      repeatable: true,
      help:
        "A file with the paths to share: plain text with one path on each line, or a JSON object whose " +
        "names are paths on the server, and whose values are a file, a directory, or a list of them " +
        "(directories are merged). It is reloaded when it changes.",
    },
    {
      name: "filter",
      values: ["<ix><regex>"],
      repeatable: true,
      help: "Include (i) or exclude (x) the server paths that the regular expression matches, " +
        "for example 'x\\.iso$'. If several filters match, the last one decides; paths " +
        "that no filter matches are shared.",
    },
    {
      name: "filterlist",
      values: ["<filepath>"],
      completes: "file",
      repeatable: true,
      help:
        "A file with one filter on each line (# begins a comment), applied before the filters of " +
        "the command line. It is reloaded when it changes.",
    },
    { name: "show-hidden", help: "Share hidden files and directories." },
    {
      name: "follow-links",
      help:
        "Follow symbolic links that lead out of the shared directories. Without it they are hidden.",
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
      help:
        "Enable uploads and save uploaded files in this directory. It is shared only if it is also one of " +
        "the paths. Then files can be uploaded on its listing, and on those of the directories in it, " +
        "into the directory that is shown.",
    },
    {
      name: "allow-overwrite",
      help:
        "Let an uploaded file replace an existing file of the same name. Without it the new file is " +
        "stored as name.1.txt, name.2.txt and so on.",
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
      help:
        "The file to show instead of the listing of a directory that has it, for example index.html.",
    },
    {
      name: "tar",
      values: ["<format>"],
      choices: ARCHIVE_FORMATS,
      repeatable: true,
      help:
        "Offer each directory as a tar file, plain (none) or compressed (gz, zst), or as a zip " +
        "file. All formats that follow belong to this option: write -- before a path called zip.",
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
      help: "The longest time that a search among the peers may take.",
      default: String(SEARCH_TIMEOUT),
    },
  ],
};

function addressOptions(defaults: ServeDefaults): OptionGroup {
  return {
    title: "Server Address and Port",
    description: "Configure the server's address and port, and which clients it answers.",
    options: [
      {
        name: "address",
        short: "a",
        values: ["<address>"],
        completes: "interface",
        help:
          "Bind the server to this address (or localhost, or fe80::1%eth0), or to the address of this " +
          "network interface.",
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
        help: "Listen on IPv6 too, if this machine has it, and ask peers at their IPv6 addresses.",
      },
      {
        name: "allow-network",
        values: ["<network>"],
        repeatable: true,
        help: "Answer only clients in these networks (10.0.0.0/8, fd00::/8), and this machine. " +
          "Others get 403 and never become peers. This option replaces the default: name your " +
          "LAN, too. Without it, only servers in the networks of this machine's interfaces are " +
          "accepted as peers that announce themselves; name others with --peer.",
        default: "private and link-local ranges, and the networks of this machine's interfaces",
      },
      {
        name: "server-name",
        values: ["<name>"],
        repeatable: true,
        help: "A name, in addition to those of this machine, that clients may use for the server.",
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
        "processes; use --authfile to avoid that.",
    },
    {
      name: "authfile",
      values: ["<filepath>"],
      completes: "file",
      help:
        "A file of alternating lines of user names and passwords. It is reloaded when it changes.",
    },
    { name: "auth-upload-only", help: "Require a password only for uploads; everybody can read." },
  ],
};

const TLS_OPTIONS: OptionGroup = {
  title: "SSL (HTTPS)",
  description: "Encrypted connections. A self-signed certificate protects only clients that " +
    "have a copy of it; the man page shows how to make one (CERTIFICATES).",
  options: [
    { name: "ssl", help: "Enable SSL (HTTPS)." },
    {
      name: "certfile",
      values: ["<filepath>"],
      completes: "file",
      help: "The server's certificate and its chain, in PEM. It is reloaded when it is renewed.",
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
      help: "Concatenated CA certificates with which client certificates are verified. Client " +
        "certificates have to be X.509 version 3.",
      default: "the server's own certificate",
    },
  ],
};

const MDNS_OPTION: Option = {
  name: "mdns",
  help:
    "Announce this server by multicast DNS (as the service _pacserve._tcp) and detect others, " +
    "pacredir hosts among them. Many Wi-Fi access points forward it but not --multicast, and it " +
    "supports IPv6. It neither needs nor disturbs avahi-daemon and systemd-resolved.",
};

function multicastOptions(program: Program): OptionGroup {
  const defaults = DEFAULTS[program];
  return {
    title: "Multicast Options",
    description: "Let servers of the same kind find each other on the local network.",
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
        help: "Neither announce nor listen on the interfaces whose names match (* matches any " +
          "characters). This option replaces the default.",
        default: "the names that containers, virtual machines and VPNs use",
      },
    ],
  };
}

const OUTPUT_OPTIONS: OptionGroup = {
  title: "Output",
  options: [
    { name: "quiet", help: "Log only warnings and errors, and not each request." },
    { name: "verbose", help: "Log also what peers do, and why a source was chosen." },
    { name: "qr", help: "Show the server's address as a QR code at start." },
    {
      name: "print-permissions",
      help:
        "Show what the runtime allows this command to read, write, run and connect to, and exit.",
    },
  ],
};

/** Returns the table of `pacserve` or `quickserve`. */
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
      "Serves packages to pacman: from the local package cache, else from another machine on the " +
      "LAN that has the package, else from a mirror. pacsrv runs pacman through pacserve.",
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
        explanation: "Use one known machine, without multicast:",
        command: "pacserve --peer http://10.0.0.2:15678/",
      },
      {
        explanation: "Share the packages of a build directory, too:",
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
      "Shares files and directories over HTTP. Options add uploads, passwords, encryption, and the files " +
      "of other servers on the LAN.",
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
        explanation: "Let others upload files, and show a QR code for phones:",
        command: "quickserve --upload ~/incoming --qr",
      },
      {
        explanation: "Serve a static website on port 8080 to this machine only:",
        command: "quickserve --root public --index index.html -a 127.0.0.1 -p 8080",
      },
    ],
  };
}
