/** Sections of the man page pacserve(8) that quickserve(1) does not have. */

import { DEFAULTS } from "../../src/commands/serve/options.ts";
import type { Section } from "./manual_section.ts";

/** The systemd units. */
export const SERVICE: Section = {
  title: "Service",
  content: [
    "pacserve.service runs pacserve with the options in /etc/conf.d/pacserve, see pacserve.conf(5). " +
    `It needs TCP port ${DEFAULTS.pacserve.port}, with --multicast UDP port ` +
    `${DEFAULTS.pacserve.multicastPort}, and with --mdns UDP port 5353; pacserve-ports.service opens ` +
    "them in the firewall while it runs. To start both now and at each boot:",
    { literal: "systemctl enable --now pacserve.service pacserve-ports.service" },
    "To stop sharing for a while, for example in a café:",
    { literal: "systemctl stop pacserve.service" },
    "The service runs as a separate user (DynamicUser) in a separate root directory. This contains only " +
    "programs and libraries, a few files of /etc and the package cache, all of them read-only. Therefore, " +
    "even a mistake in the server cannot reveal other files of this machine. Other directories in " +
    "pacman.conf, such as another CacheDir, exist there but are empty until a drop-in makes them " +
    "visible; the log has a warning for each such CacheDir. Changes to pacman.conf and in /etc/pacman.d " +
    "reach the service automatically (pacserve-root.path).",
  ],
};

/** The ways to see the status of the server. */
export const STATUS: Section = {
  title: "Status",
  content: [
    "pacserve-status(1) shows in a terminal what this server did and does: how much came from the cache, from " +
    "peers and from mirrors, how much the LAN saved, which transfers are under way, and the state of peers " +
    `and mirrors. The page http://localhost:${DEFAULTS.pacserve.port}/?page=status shows the same in a browser, ` +
    "with a chart of the last 24 hours. Only this machine can see them; other machines can see the page of " +
    "peers.",
    `http://localhost:${DEFAULTS.pacserve.port}/metrics is for Prometheus. If Prometheus runs on another ` +
    "machine, allow its address or network, in /etc/conf.d/pacserve:",
    {
      literal: 'PACSERVE_ARGS="--multicast --mdns --ipv6 --allow-metrics 192.168.1.20"',
    },
    "/usr/share/doc/pacserve/doc/status.md describes the counters, the fields of the JSON and the metrics. " +
    "The same directory has a picture of the page (status.png) and a dashboard for Grafana " +
    "(grafana-dashboard.json).",
    "The counters are saved in /var/lib/pacserve-status, or in the directory of --state-directory: at most " +
    "every five minutes, and when the server ends. A crash therefore loses the counts of at most five " +
    "minutes. If the file cannot be parsed, the server logs a warning, renames it, and counts from zero.",
  ],
};

/** The use of the server by pacman without pacsrv. */
export const PACMAN_ITSELF: Section = {
  title: "Pacman itself",
  content: [
    "pacsrv(8) gives pacman a copy of its configuration, in which each repository begins with",
    { literal: "Include = /etc/pacman.d/pacserve" },
    "To make pacman itself use this server, add that line to each repository in /etc/pacman.conf; " +
    "pacman.conf-insert_pacserve(8) prints the file with it. For the official repositories it is enough " +
    "to add the line at the top of /etc/pacman.d/mirrorlist, which all of them include. A program that " +
    "replaces the mirrorlist, such as reflector, removes the line. With the line in place, run pacman " +
    "instead of pacsrv.",
    "The included file has two lines. pacman 6.1 and later uses the CacheServer line for packages: if " +
    "pacserve fails, pacman uses the next server without a message, and tries pacserve again for the " +
    "next package. It uses the Server line for databases. Older versions use that line for everything, and " +
    "warn of the CacheServer line on every run; put a # in front of it there.",
    "The path in these lines may also be /pacman/$repo/$arch, as in earlier versions.",
    "If a proxy is set in the environment of pacman (http_proxy), add localhost to no_proxy, too; pacsrv " +
    "does so automatically.",
    "If the package is removed while pacman.conf still has the line, an empty file replaces " +
    "/etc/pacman.d/pacserve, because pacman refuses to run if an included file is missing. Delete the " +
    "line, and then the file.",
  ],
};

/** The message of pacman after a transaction. */
export const HOOK: Section = {
  title: "The hook",
  content: [
    "After each transaction of pacman or pacsrv that installs packages, the hook pacserve.hook prints how much " +
    "of them came from machines on the LAN:",
    { literal: "pacserve: 29.3 of 30.3 MiB came from the LAN" },
    "It prints nothing if no package was downloaded through pacserve, or if pacserve does not run. pacman " +
    "itself prints a line with the description of each hook. The hook counts the last download of each " +
    "package, even if an earlier transaction made it (pacman -Sw, or a cancelled upgrade), and counts each " +
    "download only once. A restart of pacserve keeps these numbers, but a crash loses them. The hook never " +
    "makes a transaction fail, and takes at most 0.3 seconds.",
    'PACSERVE_HOOK="off" in /etc/conf.d/pacserve turns the message off. To turn off the line of pacman, too:',
    { literal: "ln -s /dev/null /etc/pacman.d/hooks/pacserve.hook" },
  ],
};

/** Stands between a setting of the unit and the option that needs it. */
const AND_OPTIONS = "and in /etc/conf.d/pacserve:";

/** Settings of the unit that some options need. */
export const DROP_INS: Section = {
  title: "Drop-ins",
  content: [
    'The service sees other files only if its unit makes them visible. "systemctl edit pacserve" opens a ' +
    "file (a drop-in) for such settings. After a change: systemctl restart pacserve.",
    "Another directory to share, another CacheDir of pacman.conf, or another DBPath (its directory sync):",
    { literal: "[Service]\nBindReadOnlyPaths=/srv/packages" },
    AND_OPTIONS,
    { literal: 'PACSERVE_ARGS="--multicast --mdns --ipv6 /srv/packages"' },
    "The directory may be anywhere, also in /home, /root or /tmp. The same setting is needed for files " +
    "outside of /etc/pacman.d that pacman.conf includes, for repositories in directories " +
    "(Server = file:///srv/repository), for another --pacman-conf, and for filelists.",
    "The service runs as a separate user. To read files that only a group may read, it must be a member:",
    { literal: "[Service]\nBindReadOnlyPaths=/srv/packages\nSupplementaryGroups=media" },
    "A directory for uploads, which systemd makes and which belongs to the service:",
    { literal: "[Service]\nStateDirectory=pacserve" },
    AND_OPTIONS,
    { literal: 'PACSERVE_ARGS="--multicast --mdns --ipv6 --upload /var/lib/pacserve"' },
    "Passwords, or a certificate and its key, in files that only root can read. systemd gives the service " +
    "copies of them when it starts, and only then. Therefore, after each change of these files: systemctl " +
    "restart pacserve.",
    {
      literal: "[Service]\nLoadCredential=users:/etc/pacserve/users\n" +
        "LoadCredential=cert.pem:/etc/pacserve/cert.pem\n" +
        "LoadCredential=key.pem:/etc/pacserve/key.pem",
    },
    "and in /etc/conf.d/pacserve, for passwords:",
    {
      literal: 'PACSERVE_ARGS="--multicast --mdns --ipv6 \\\n' +
        '    --authfile /run/credentials/pacserve.service/users"',
    },
    "or for TLS:",
    {
      literal: 'PACSERVE_ARGS="--multicast --mdns --ipv6 --ssl \\\n' +
        "    --certfile /run/credentials/pacserve.service/cert.pem \\\n" +
        '    --keyfile /run/credentials/pacserve.service/key.pem"',
    },
    "Then write https instead of http in /etc/pacman.d/pacserve. pacman connects to localhost, therefore it " +
    "accepts the certificate only if this contains the name localhost and the system trusts its issuer " +
    "(trust(1)).",
  ],
};

/** The use of static peers. */
export const WITHOUT_MULTICAST: Section = {
  title: "Without multicast",
  content: [
    "Some routers, VPNs and networks of several segments forward neither multicast nor multicast DNS. Name " +
    "the machines there, in /etc/conf.d/pacserve:",
    {
      literal: 'PACSERVE_ARGS="--peer http://192.168.1.5:15678/ --peer http://192.168.2.7:15678/"',
    },
    "Of two machines, it is enough if one names the other, which then finds the first one automatically. " +
    "With --multicast or --mdns, peers that are found this way are used, too. The page " +
    "http://localhost:15678/?page=peers lists all peers.",
  ],
};

/** The sources of packages that are not on the LAN. */
export const MIRRORS: Section = {
  title: "Mirrors",
  content: [
    "A file that neither the cache nor a peer has comes from the first Server of the repository in " +
    "pacman.conf that has it. As in pacman, a CacheServer is tried first for packages. To give pacserve " +
    "other mirrors than pacman, name another file with --pacman-conf, such as:",
    {
      literal: "[options]\nArchitecture = auto\nSigLevel = Required DatabaseOptional\n\n" +
        "[core]\nServer = http://mirror.example.org/$repo/os/$arch\n\n" +
        "[extra]\nServer = http://mirror.example.org/$repo/os/$arch",
    },
    "SigLevel decides if a signature may come from a peer: only if it makes pacman require a valid " +
    "signature. A repository may also have no Server. Requests for files that are not on the LAN are then " +
    "answered with 404, and pacman uses its own mirrors.",
    "If the mirrors are reached through a proxy, set it for the service, in /etc/conf.d/pacserve:",
    {
      literal: "http_proxy=http://proxy.example.org:3128\n" +
        "https_proxy=http://proxy.example.org:3128\n" +
        "no_proxy=mirror.lan",
    },
    "The variables are the same as for curl(1). all_proxy works, too, and so do names in capitals except " +
    "HTTP_PROXY. no_proxy takes hosts, domains, addresses, networks (10.0.0.0/8) and *. The address of the " +
    "proxy must begin with http://, and may have user:password@ before the name; the mirrors may have " +
    "https://. If the proxy of a mirror cannot be used, pacserve cannot reach the mirror and redirects " +
    "pacman to it. pacserve never uses a proxy for peers.",
  ],
};

/** The set-up of a machine that serves its databases. */
export const MASTER: Section = {
  title: "Master machine",
  content: [
    "One machine can decide when all others of its architecture upgrade: it serves its sync databases in " +
    "addition to its packages. It needs a filelist, for example /etc/pacman.d/master.json with",
    { literal: '{ "pkg": ["/var/lib/pacman/sync"] }' },
    AND_OPTIONS,
    {
      literal: 'PACSERVE_ARGS="--multicast --mdns --ipv6 \\\n' +
        '    --filelist /etc/pacman.d/master.json"',
    },
    "The service can see this directory; if DBPath names another one, see DROP-INS. On the other machines, " +
    "replace the mirrors with this machine in /etc/pacman.conf:",
    { literal: "Server = http://192.168.1.5:15678/pacman/$repo/$arch" },
    "or run pacserve on them, too, and name this machine in their /etc/conf.d/pacserve:",
    {
      literal: 'PACSERVE_ARGS="--multicast --mdns --ipv6 --trust-pacserve-peers \\\n' +
        '    --peer http://192.168.1.5:15678/"',
    },
    "Once this machine has upgraded, the others can. Its own pacman still gets new databases from a " +
    "mirror.",
  ],
};
