/** Sections of the man page pacserve(8) that are of no use in quickserve(1). */

import { DEFAULTS } from "../../src/commands/serve/options.ts";
import type { Section } from "./manual_section.ts";

/** The units. */
export const SERVICE: Section = {
  title: "Service",
  content: [
    "pacserve.service runs pacserve with the options in /etc/conf.d/pacserve, see pacserve.conf(5). " +
    `It needs TCP port ${DEFAULTS.pacserve.port}, with --multicast UDP port ` +
    `${DEFAULTS.pacserve.multicastPort}, and with --mdns UDP port 5353; pacserve-ports.service opens ` +
    "them in the firewall while it runs. Once and for all:",
    { literal: "systemctl enable --now pacserve.service pacserve-ports.service" },
    "To stop sharing for a while, in a café for example:",
    { literal: "systemctl stop pacserve.service" },
    "The service is a user of its own (DynamicUser) in a root directory of its own, in which only " +
    "programs and libraries, a few files of /etc and the package cache exist, all of them read-only. " +
    "So even a mistake in the server shows nothing else of this machine. Other directories that " +
    "pacman.conf names, such as another CacheDir, exist there, but are empty until a drop-in shows " +
    "them; of a CacheDir the log says so. Changes to pacman.conf and in /etc/pacman.d reach it by themselves " +
    "(pacserve-root.path).",
  ],
};

/** What the server tells about itself. */
export const STATUS: Section = {
  title: "Status",
  content: [
    "pacserve-status(1) shows in a terminal what this server did and does: what came from the cache, from " +
    "peers and from mirrors, what the LAN saved, which transfers are under way, and how peers and mirrors " +
    `do. The page http://localhost:${DEFAULTS.pacserve.port}/?page=status shows the same in a browser, with a ` +
    "chart of the last 24 hours. Both are for this machine alone; what others see is the page of peers.",
    `http://localhost:${DEFAULTS.pacserve.port}/metrics is for Prometheus. One on another machine is let in by ` +
    "its address or network, in /etc/conf.d/pacserve:",
    {
      literal: 'PACSERVE_ARGS="--multicast --mdns --ipv6 --allow-metrics 192.168.1.20"',
    },
    "/usr/share/doc/pacserve/doc/status.md describes what is counted, the fields of the JSON and the " +
    "metrics; beside it are a picture of the page (status.png) and a dashboard for Grafana " +
    "(grafana-dashboard.json).",
    "The counters are kept in /var/lib/pacserve-status, or where --state-directory says. They are written " +
    "every five minutes at most and when the server ends, so a crash loses no more than was counted in that " +
    "time. A file that cannot be read is set aside with a warning, and counting begins anew.",
  ],
};

/** How pacman uses the server without pacsrv. */
export const PACMAN_ITSELF: Section = {
  title: "Pacman itself",
  content: [
    "pacsrv(8) gives pacman a copy of its configuration, in which each repository begins with",
    { literal: "Include = /etc/pacman.d/pacserve" },
    "To have pacman itself use this server, write that line there in /etc/pacman.conf; " +
    "pacman.conf-insert_pacserve(8) prints the file with it. For the official repositories there is " +
    "a short way: the line at the top of /etc/pacman.d/mirrorlist, which all of them include. A " +
    "program that writes the mirrorlist anew, such as reflector, drops the line. With the line in " +
    "place, run pacman rather than pacsrv.",
    "The file has two lines. By CacheServer pacman 6.1 and later asks for packages: when that fails, " +
    "pacman goes on with the next server without a message, and asks it again for the next package. " +
    "By Server it asks for databases, and older versions for everything. These warn of the first line " +
    "on every run; put a # in front of it there.",
    "The address may also be written /pacman/$repo/$arch, as in earlier versions.",
    "Where the environment of pacman itself names a proxy (http_proxy), name localhost in no_proxy, too; " +
    "pacsrv does so by itself.",
    "When the package is removed and pacman.conf still has the line, an empty file takes the place of " +
    "/etc/pacman.d/pacserve, since pacman refuses to run without it. Delete the line, and then the file.",
  ],
};

/** What pacman says after a transaction. */
export const HOOK: Section = {
  title: "The hook",
  content: [
    "After each transaction of pacman or pacsrv that installs packages, the hook pacserve.hook says how much " +
    "of them came from machines of the LAN:",
    { literal: "pacserve: 29.3 of 30.3 MiB came from the LAN" },
    "It says nothing where none was downloaded through pacserve, or pacserve does not run. pacman itself " +
    "prints a line with the description of each hook. The numbers are those of the last download of " +
    "each package, whichever transaction fetched it (pacman -Sw, or one that was cancelled), and each is " +
    "told once. A restart of pacserve keeps them, and a crash does not. The hook never lets a transaction " +
    "fail, and takes 0.3 seconds at the most.",
    'PACSERVE_HOOK="off" in /etc/conf.d/pacserve silences it. To mask it, pacman\'s own line included:',
    { literal: "ln -s /dev/null /etc/pacman.d/hooks/pacserve.hook" },
  ],
};

/** What an option needs elsewhere stands first, and then the option. */
const AND_OPTIONS = "and in /etc/conf.d/pacserve:";

/** What the unit has to be told along with an option. */
export const DROP_INS: Section = {
  title: "Drop-ins",
  content: [
    'Whatever else the server shall see, its unit has to show it. "systemctl edit pacserve" opens a ' +
    "file for such settings. After a change: systemctl restart pacserve.",
    "Another directory to share, another CacheDir of pacman.conf, or another DBPath (its directory sync):",
    { literal: "[Service]\nBindReadOnlyPaths=/srv/packages" },
    AND_OPTIONS,
    { literal: 'PACSERVE_ARGS="--multicast --mdns /srv/packages"' },
    "It may lie anywhere, also below /home, /root or /tmp. " +
    "The same setting shows files that pacman.conf includes from elsewhere than /etc/pacman.d, " +
    "repositories in directories (Server = file:///srv/repository), another --pacman-conf, and filelists.",
    "The service is a user of its own. What only a group may read, it reads as a member of that group:",
    { literal: "[Service]\nBindReadOnlyPaths=/srv/packages\nSupplementaryGroups=media" },
    "A directory for uploads, which is made, and belongs to the service:",
    { literal: "[Service]\nStateDirectory=pacserve" },
    AND_OPTIONS,
    { literal: 'PACSERVE_ARGS="--multicast --mdns --upload /var/lib/pacserve"' },
    "Passwords, or a certificate and its key, in files that only root can read. The service manager " +
    "hands copies over when the service starts, and only then. After a renewal, therefore: systemctl " +
    "restart pacserve.",
    {
      literal: "[Service]\nLoadCredential=users:/etc/pacserve/users\n" +
        "LoadCredential=cert.pem:/etc/pacserve/cert.pem\n" +
        "LoadCredential=key.pem:/etc/pacserve/key.pem",
    },
    "and in /etc/conf.d/pacserve, for passwords:",
    {
      literal:
        'PACSERVE_ARGS="--multicast --mdns --authfile /run/credentials/pacserve.service/users"',
    },
    "or for TLS:",
    {
      literal: 'PACSERVE_ARGS="--multicast --mdns --ssl \\\n' +
        "    --certfile /run/credentials/pacserve.service/cert.pem \\\n" +
        '    --keyfile /run/credentials/pacserve.service/key.pem"',
    },
    "Then write https instead of http in /etc/pacman.d/pacserve. pacman asks for localhost, so the " +
    "certificate has to name localhost, and the system has to trust whoever signed it (trust(1)): " +
    "otherwise pacman refuses it.",
  ],
};

/** Peers that are named. */
export const WITHOUT_MULTICAST: Section = {
  title: "Without multicast",
  content: [
    "Some routers, VPNs and networks of several segments pass no multicast on, of either kind. There the machines are " +
    "named, in /etc/conf.d/pacserve:",
    {
      literal: 'PACSERVE_ARGS="--peer http://192.168.1.5:15678/ --peer http://192.168.2.7:15678/"',
    },
    "Of two machines one has to name the other, which learns of it by that. Where --multicast is " +
    "or --mdns is given as well, both kinds of peers are used. The page http://localhost:15678/?page=peers lists " +
    "them.",
  ],
};

/** Where packages come from that nobody near has. */
export const MIRRORS: Section = {
  title: "Mirrors",
  content: [
    "What neither the cache nor a peer has comes from the first Server of the repository in " +
    "pacman.conf that has it. Packages come from a CacheServer before that, as with pacman itself. " +
    "--pacman-conf names another file, with other mirrors for pacserve than pacman has:",
    {
      literal: "[options]\nArchitecture = auto\nSigLevel = Required DatabaseOptional\n\n" +
        "[core]\nServer = http://mirror.example.org/$repo/os/$arch\n\n" +
        "[extra]\nServer = http://mirror.example.org/$repo/os/$arch",
    },
    "SigLevel says whether a signature may come from a peer: only where pacman insists on a valid one. " +
    "A repository may have no Server at all: what is not on the LAN is then answered with 404, and " +
    "pacman goes on to its own mirrors.",
    "Where the mirrors are reached through a proxy, tell the service, in /etc/conf.d/pacserve:",
    {
      literal: "http_proxy=http://proxy.example.org:3128\n" +
        "https_proxy=http://proxy.example.org:3128\n" +
        "no_proxy=mirror.lan",
    },
    "The names are those of curl(1); all_proxy and capitals work as well (but for HTTP_PROXY), and " +
    "no_proxy takes hosts, domains, addresses, networks (10.0.0.0/8) and *. Only proxies with http:// are " +
    "supported, with or without user:password@ before the name; the mirrors may have https://. A mirror whose " +
    "proxy cannot be used is unreachable for the service: pacman is sent there itself. Peers are never asked " +
    "through a proxy.",
  ],
};

/** A machine that serves its databases. */
export const MASTER: Section = {
  title: "Master machine",
  content: [
    "One machine can set the pace of upgrades for all others of its architecture: it serves its sync " +
    "databases along with its packages, by a filelist such as /etc/pacman.d/master.json with",
    { literal: '{ "pkg": ["/var/lib/pacman/sync"] }' },
    AND_OPTIONS,
    { literal: 'PACSERVE_ARGS="--multicast --mdns --filelist /etc/pacman.d/master.json"' },
    "The service has to see the databases, too (DROP-INS). The others name the machine as their " +
    "server, instead of mirrors, in /etc/pacman.conf:",
    { literal: "Server = http://192.168.1.5:15678/pacman/$repo/$arch" },
    "or they run pacserve themselves, and name the machine in /etc/conf.d/pacserve:",
    {
      literal:
        'PACSERVE_ARGS="--multicast --mdns --trust-pacserve-peers --peer http://192.168.1.5:15678/"',
    },
    "When the machine upgrades, so can the others. Its own pacman still gets fresh databases from a " +
    "mirror.",
  ],
};
