/** What the man pages say beyond the tables of options, from which `--help` is made too. */

/** A part of a page: paragraphs, and what is shown as it is typed. */
export interface Section {
  readonly title: string;
  readonly content: readonly (string | { readonly literal: string })[];
}

/** The parts of a command's page that `--help` leaves out. */
export interface Manual {
  readonly sections?: readonly Section[];
  /** Every option, even `--help`, is another program's. */
  readonly hasNoOptions?: true;
  /** Files that the command reads or writes. */
  readonly files?: readonly { readonly path: string; readonly meaning: string }[];
  /** Where it is not the usual one. */
  readonly exitStatus?: string;
  /** Other pages: `pacman(8)`. */
  readonly seeAlso: readonly string[];
}

const SIGNALS: Section = {
  title: "Signals",
  content: [
    "SIGTERM and SIGINT end the server: it takes no more connections, and transfers in flight have " +
    "one and a half seconds to finish. A second one ends it at once. SIGHUP makes it read its files " +
    "again, which it also does when it notices that one has changed; when a file is wrong, the last " +
    "good configuration stays in force.",
  ],
};

const SERVICE: Section = {
  title: "Service",
  content: [
    "pacserve.service runs pacserve with the options in /etc/conf.d/pacserve, see pacserve.conf(5). " +
    "pacserve-ports.service opens the ports in the firewall while it runs. Once and for all:",
    { literal: "systemctl enable --now pacserve.service pacserve-ports.service" },
    "To stop sharing for a while, in a café for example:",
    { literal: "systemctl stop pacserve.service" },
    "The service is a user of its own (DynamicUser) in a root directory of its own, in which only " +
    "programs and libraries, a few files of /etc and the package cache exist, all of them read-only. " +
    "So even a mistake in the server shows nothing else of this machine. Changes to pacman.conf " +
    "reach it by themselves (pacserve-root.path).",
  ],
};

const DROP_INS: Section = {
  title: "Drop-ins",
  content: [
    'Whatever else the server shall see, its unit has to show it. "systemctl edit pacserve" opens a ' +
    "file for such settings. After a change: systemctl restart pacserve.",
    "Another directory to share, or another CacheDir of pacman.conf:",
    { literal: "[Service]\nBindReadOnlyPaths=/srv/packages" },
    "and for the directory to share, in /etc/conf.d/pacserve:",
    { literal: 'PACSERVE_ARGS="--multicast /srv/packages"' },
    "The same setting shows files that pacman.conf includes from elsewhere than /etc/pacman.d, the " +
    "sync databases (/var/lib/pacman/sync) on a machine that serves them to others, repositories in " +
    "directories (Server = file:///srv/repository), another --pacman-conf, and filelists.",
    "The service is a user of its own. What only a group may read, it reads as a member of that group:",
    { literal: "[Service]\nBindReadOnlyPaths=/srv/packages\nSupplementaryGroups=media" },
    "A directory for uploads, which is made, and belongs to the service:",
    { literal: "[Service]\nStateDirectory=pacserve" },
    { literal: 'PACSERVE_ARGS="--multicast --upload /var/lib/pacserve"' },
    "Passwords, or a certificate and its key, in files that only root can read. The service manager " +
    "hands copies over when the service starts, and only then. After a renewal, therefore: systemctl " +
    "restart pacserve.",
    {
      literal: "[Service]\nLoadCredential=users:/etc/pacserve/users\n" +
        "LoadCredential=cert.pem:/etc/pacserve/cert.pem\n" +
        "LoadCredential=key.pem:/etc/pacserve/key.pem",
    },
    "With passwords:",
    {
      literal: 'PACSERVE_ARGS="--multicast --authfile /run/credentials/pacserve.service/users"',
    },
    "With TLS:",
    {
      literal: 'PACSERVE_ARGS="--multicast --ssl \\\n' +
        "    --certfile /run/credentials/pacserve.service/cert.pem \\\n" +
        '    --keyfile /run/credentials/pacserve.service/key.pem"',
    },
    "Then write https instead of http in /etc/pacman.d/pacserve. pacman asks for localhost, so the " +
    "certificate has to name localhost, and the system has to trust whoever signed it (trust(1)): " +
    "otherwise pacman refuses it.",
  ],
};

const FIREWALL_RELOADS: Section = {
  title: "Reloads of the firewall",
  content: [
    "When the firewall reads its own rules again (nft -f, ufw reload, firewall-cmd --reload, a restart " +
    "of its service), it may drop those of others, while pacserve-ports.service stays active. Open the " +
    "ports again with",
    { literal: "systemctl reload pacserve-ports" },
  ],
};

const MASTER: Section = {
  title: "Master machine",
  content: [
    "One machine can set the pace of upgrades for all others of its architecture: it serves its sync " +
    "databases along with its packages, by a filelist such as",
    { literal: '{ "pkg": ["/var/lib/pacman/sync"] }' },
    { literal: 'PACSERVE_ARGS="--multicast --filelist /etc/pacman.d/master.json"' },
    "The service has to see the databases, too (DROP-INS). The others name the machine as their " +
    "server, instead of mirrors, in /etc/pacman.conf:",
    { literal: "Server = http://192.168.1.5:15678/pacman/$repo/$arch" },
    "or they run pacserve themselves, and name the machine there:",
    {
      literal:
        'PACSERVE_ARGS="--multicast --trust-pacserve-peers --peer http://192.168.1.5:15678/"',
    },
    "When the machine upgrades, so can the others. Its own pacman still gets fresh databases from a " +
    "mirror.",
  ],
};

const WITHOUT_MULTICAST: Section = {
  title: "Without multicast",
  content: [
    "Some routers, VPNs and networks of several segments pass no multicast on. There the machines are " +
    "named:",
    {
      literal: 'PACSERVE_ARGS="--peer http://192.168.1.5:15678/ --peer http://192.168.2.7:15678/"',
    },
    "Of two machines one has to name the other, which learns of it by that. Where --multicast is " +
    "given as well, both kinds of peers are used. The page http://localhost:15678/?page=peers lists " +
    "them.",
  ],
};

const MIRRORS: Section = {
  title: "Mirrors",
  content: [
    "What neither the cache nor a peer has comes from the first Server of the repository in " +
    "pacman.conf that has it. --pacman-conf names another file, with other mirrors for pacserve than " +
    "pacman has:",
    {
      literal: "[options]\nArchitecture = auto\nSigLevel = Required DatabaseOptional\n\n" +
        "[core]\nServer = http://mirror.example.org/$repo/os/$arch\n\n" +
        "[extra]\nServer = http://mirror.example.org/$repo/os/$arch",
    },
    "SigLevel says whether a signature may come from a peer: only where pacman insists on a valid one. " +
    "A repository may have no Server at all: what is not on the LAN is then answered with 404, and " +
    "pacman goes on to its own mirrors.",
  ],
};

const CLIENTS: Section = {
  title: "Clients",
  content: [
    "A browser gets pages, curl(1) a table of text, and a script what it asks for with Accept or " +
    "with mimetype:",
    {
      literal: "curl http://192.168.1.5:8000/music/\n" +
        "curl 'http://192.168.1.5:8000/music/?mimetype=application/json'",
    },
    "Files are sent (--upload) by name or by form, and directories fetched (--tar) as archives:",
    {
      literal: "curl -T photo.jpg http://192.168.1.5:8000/photo.jpg\n" +
        "curl -F file=@photo.jpg http://192.168.1.5:8000/\n" +
        "curl -OJ 'http://192.168.1.5:8000/music/?tar=zip'",
    },
    "The pages ?page=peers, ?page=upload and ?page=about show the peers that are known, the form for " +
    "uploads, and what the server offers.",
    "Where users are configured, clients log in by digest (curl --digest -u alice). Those that know " +
    "Basic authentication only, such as aria2c(1), can do so on the same machine and under TLS.",
    "A file whose name is not UTF-8 has no address and is left out.",
  ],
};

const DATA: Section = {
  title: "Data for scripts",
  content: [
    "As application/json a directory is its path and its entries, in the order that sort=name, " +
    "sort=size or sort=time and order=asc or order=desc ask for:",
    {
      literal: "{\n" +
        '  "path": "/music/",\n' +
        '  "entries": [\n' +
        '    {"name":"live","kind":"directory","size":null,\n' +
        '     "modified":"2026-11-22T20:31:00Z","href":"/music/live/","peer":null},\n' +
        '    {"name":"one.flac","kind":"file","size":28312077,\n' +
        '     "modified":"2026-11-22T20:30:12Z","href":"/music/one.flac","peer":null}\n' +
        "  ]\n" +
        "}",
    },
    "kind is file or directory, size is in bytes, modified in UTC; each of the two is null where it " +
    "is not known, as the size of a directory. href is where the entry is: a path on this server, or " +
    "with --list-remote the address at a peer, which peer then names.",
    "An upload is answered with the files that were stored and those that were not. name is what a " +
    "file is called now, requested what the client called it; reason is a sentence for people:",
    {
      literal: '{"uploaded":[{"name":"a.txt.1","requested":"a.txt","size":3}],\n' +
        ' "failed":[{"name":"..","reason":"The name stands for a directory."}]}',
    },
    "The page of peers is",
    {
      literal: '{"peers": [{"url": "http://192.168.1.7:8000/", "origin": "announcement",\n' +
        '            "state": "alive", "trouble": null, "lastSeen": 12.5,\n' +
        '            "roundTrip": 0.8, "transfers": 0}]}',
    },
    "origin is static (--peer), announcement (multicast) or nudge (it answered us). state is alive, " +
    "candidate (not yet asked) or set aside, and then trouble says why. lastSeen is in seconds ago, " +
    "roundTrip in milliseconds, transfers the number of files that it was sending; null is unknown.",
    "Fields may be added; those above keep their names and meanings.",
  ],
};

const FILTERS: Section = {
  title: "Filter expressions",
  content: [
    "A filter is the letter i (include) or x (exclude) and a regular expression in the syntax of RE2, " +
    "which is searched in the path on the server, such as /music/live/one.flac. In a filterlist, " +
    "empty lines and lines that begin with # mean nothing:",
    { literal: "# No videos, except short ones.\nx\\.(mkv|mp4)$\ni^/music/clips/" },
    "The last filter that matches a path decides, and what none matches is shared: so one that " +
    "includes takes back what one before it excludes. What lies in an excluded directory is excluded " +
    "with it. The filters of the command line follow those of filterlists.",
  ],
};

const FILELISTS: Section = {
  title: "Filelists",
  content: [
    "A plain filelist has a path on each line, as on the command line: no two of all these may have " +
    "the same name. One in JSON says what is where: each name is a path on the server, each value a " +
    "file or a list of directories, which appear as one; the first that has a name wins. Relative " +
    "paths begin where the list lies.",
    {
      literal: '{\n  "music": ["/srv/music", "/home/me/Music"],\n' +
        '  "docs/manual.pdf": "/srv/manual.pdf"\n}',
    },
  ],
};

const SERVER_PAGES = ["curl(1)", "openssl-req(1)"];

/** The manuals by the names of the commands. */
export const MANUALS: Readonly<Record<string, Manual>> = {
  "pacserve": {
    sections: [
      SERVICE,
      DROP_INS,
      WITHOUT_MULTICAST,
      MIRRORS,
      MASTER,
      FILELISTS,
      FILTERS,
      SIGNALS,
    ],
    files: [
      { path: "/etc/conf.d/pacserve", meaning: "Options and firewall rules of the services." },
      { path: "/etc/pacman.conf", meaning: "Caches, repositories and mirrors." },
      { path: "/etc/pacman.d/pacserve", meaning: "Where pacman finds this server." },
      { path: "/run/pacserve/root", meaning: "What the service sees of the system." },
    ],
    seeAlso: [
      ...SERVER_PAGES,
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
    sections: [CLIENTS, DATA, FILELISTS, FILTERS, SIGNALS],
    seeAlso: [...SERVER_PAGES, "pacserve(8)"],
  },
  "pacsrv": {
    hasNoOptions: true,
    files: [
      { path: "/etc/pacman.d/pacserve", meaning: "Where pacserve answers." },
      { path: "/var/cache/pacserve", meaning: "Copies of configurations, of root's pacman." },
      { path: "~/.cache/pacserve", meaning: "The same of another user's." },
    ],
    exitStatus: "That of pacman.",
    seeAlso: ["pacman.conf(5)", "pacman(8)", "pacman.conf-insert_pacserve(8)", "pacserve(8)"],
  },
  "pacman.conf-insert_pacserve": {
    files: [
      { path: "/etc/pacman.conf", meaning: "The configuration that is read." },
      { path: "/etc/pacman.d/pacserve", meaning: "What the inserted lines include." },
    ],
    seeAlso: ["pacman.conf(5)", "pacserve(8)", "pacsrv(8)"],
  },
  "pacserve-ports": {
    sections: [FIREWALL_RELOADS],
    files: [
      { path: "/etc/conf.d/pacserve", meaning: "The rules, see pacserve.conf(5)." },
      { path: "/run/pacserve-ports/state", meaning: "What was opened and is to be closed again." },
    ],
    exitStatus: "0 on success, 1 for a failure at run time, 2 for wrong usage, and 3 when status " +
      "finds something closed.",
    seeAlso: ["pacserve.conf(5)", "iptables(8)", "nft(8)", "pacserve(8)"],
  },
};
