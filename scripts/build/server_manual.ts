/** Sections of the man pages that both servers have, or quickserve alone. */

import type { Program } from "../../src/commands/serve/options.ts";
import { serverHeader } from "../../src/peers/announcement.ts";
import type { Section, Term } from "./manual_section.ts";

/** What signals do. */
export const SIGNALS: Section = {
  title: "Signals",
  content: [
    "SIGTERM and SIGINT end the server: it takes no more connections, and transfers in flight have " +
    "one and a half seconds to finish. SIGHUP makes it read its files again, which it also does when " +
    "it notices that one has changed; when a file is wrong, the last good configuration stays in force.",
  ],
};

/** Programs that one fetches and sends with. */
export const CLIENTS: Section = {
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
    "search finds names with all of its words in a directory and below it. What the server hides is not " +
    "found. A search that ends early, after two seconds or a thousand names, says so.",
    { literal: "curl 'http://192.168.1.5:8000/music/?search=live+flac'" },
    "A file whose name is not UTF-8 has no address and is left out. Pages and tables write what cannot " +
    "be seen in a name as an escape, such as \\n for a line feed.",
  ],
};

/** The fields of JSON replies. */
export const DATA: Section = {
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
      literal: '{"uploaded":[{"name":"a.1.txt","requested":"a.txt","size":3}],\n' +
        ' "failed":[{"name":"..","reason":"The name stands for a directory."}]}',
    },
    "The page of peers is",
    {
      literal: '{"peers": [{"url": "http://192.168.1.7:8000/", "origin": "announcement",\n' +
        '            "state": "alive", "trouble": null, "lastSeen": 12.5,\n' +
        '            "roundTrip": 0.8, "transfers": 0}],\n' +
        ' "means": ["multicast"], "interfaces": ["eth0"]}',
    },
    "origin is static (--peer), announcement (multicast or multicast DNS) or nudge (it answered us). state is alive, " +
    "candidate (not yet asked) or set aside, and then trouble says why. lastSeen is in seconds ago, " +
    "roundTrip in milliseconds, transfers the number of files that it was sending; null is unknown. " +
    "means and interfaces say how and where peers are looked for that are not named.",
    "Fields may be added; those above keep their names and meanings.",
  ],
};

/** The syntax of filters. */
export const FILTERS: Section = {
  title: "Filter expressions",
  content: [
    "A filter is the letter i (include) or x (exclude) and a regular expression in the syntax of RE2, " +
    "which is searched in the path on the server, such as /music/live/one.flac. In a filterlist, " +
    "empty lines and lines that begin with # mean nothing:",
    { literal: "# No videos, except short ones.\nx\\.(mkv|mp4)$\ni^/music/clips/" },
    "The last filter that matches a path decides, and what none matches is shared: so one that " +
    "includes takes back what one before it excludes. What lies in an excluded directory is excluded " +
    "with it. The filters of the command line follow those of filterlists.",
    "To share files of one kind only, exclude every name with a dot in it and include theirs; " +
    "directories, whose names have none as a rule, stay:",
    { literal: "x\\.[^/]*$\ni(?i)\\.flac$" },
  ],
};

/** The syntax of filelists. */
export const FILELISTS: Section = {
  title: "Filelists",
  content: [
    "A plain filelist has a path on each line, as on the command line: no two of all these may have " +
    "the same name. Empty lines and lines that begin with # mean nothing; a file whose name begins so " +
    "is written ./#name. A list whose name ends in .json, or that begins with a bracket, is JSON.",
    "One in JSON says what is where: each name is a path on the server, each value a " +
    "file, a directory, or a list of them, whose directories appear as one; of two that have the " +
    "same, the first wins. Relative paths begin where the list lies.",
    {
      literal: '{\n  "music": ["/srv/music", "/home/me/Music"],\n' +
        '  "docs/manual.pdf": "/srv/manual.pdf"\n}',
    },
  ],
};

/** How to make a certificate. */
export const CERTIFICATES: Section = {
  title: "Certificates",
  content: [
    "This makes a key and a certificate for a year. It names what clients may call the server; put " +
    "your addresses and names there:",
    {
      literal: "openssl req -x509 -newkey rsa:2048 -nodes -days 365 \\\n" +
        "    -keyout key.pem -out cert.pem -subj /CN=localhost \\\n" +
        "    -addext subjectAltName=DNS:localhost,IP:192.168.1.5",
    },
    "Start the server with --ssl --certfile cert.pem --keyfile key.pem. Give cert.pem, and never " +
    "key.pem, to the clients, which cannot know it otherwise; browsers ask whether to trust it.",
    { literal: "curl --cacert cert.pem https://192.168.1.5:8000/" },
    "A client that says http:// to this port gets a sentence with the right address. Keys are RSA with " +
    "2048 to 8192 bits, P-256, P-384, P-521 or Ed25519.",
  ],
};

/** The log of a server, with a request as its program gets them. */
export function logSection(program: Program): Section {
  const isPacserve = program === "pacserve";
  return {
    title: "Log",
    content: [
      "Each answered request is a line on standard output, unless --quiet is given" +
      (isPacserve ? "; that of the service is shown by journalctl -u pacserve. " : ". ") +
      "Its beginning is the combined log format of web servers, for example (in one line)",
      {
        literal: isPacserve
          ? "127.0.0.1 - - [22/Nov/2026:21:31:00 +0000]\n" +
            '    "GET /pacman/core/x86_64/foo-1-1-any.pkg.tar.zst HTTP/1.1" 307 0\n' +
            '    "-" "pacman/7.0.0" 0.004s peer http://192.168.1.7:15678'
          : "10.0.0.2 - alice [22/Nov/2026:21:31:00 +0000]\n" +
            '    "GET /music/one.flac HTTP/1.1" 200 28312077\n' +
            '    "-" "curl/8.17.0" 2.520s file',
      },
      "with the address of the client, a dash, the user who logged in, the time, the request, the " +
      "status, the bytes of the reply's body that were sent, the page that led there and the name of " +
      "the client; a dash stands for what there is none of, and three dots for the end of what is " +
      "very long. Then come the seconds from the request " +
      "to the end of the reply, and for files where they come from:",
      {
        terms: [
          ...(isPacserve
            ? [{ word: "cache", meaning: "The package cache, or what else is shared here." }]
            : [{ word: "file", meaning: "What is shared here." }]),
          {
            word: "peer http://...",
            meaning:
              "What this host asked for, from this peer; for others a redirect to it, and what " +
              "the client gets there is in the peer's log.",
          },
          ...(isPacserve ? PACSERVE_SOURCES : []),
          {
            word: "aborted",
            meaning: "The connection ended before all of the reply was sent.",
          },
        ],
      },
      ...(isPacserve
        ? [
          "Requests for the status and for /metrics that were answered are written with --verbose only: " +
          "who looks on asks every second.",
        ]
        : []),
      "Other lines are sentences: warnings, errors, and with --verbose what peers do and why a source " +
      "was chosen.",
    ],
  };
}

const PACSERVE_SOURCES: readonly Term[] = [
  {
    word: "peer http://... (in flight)",
    meaning: "What this host asked for, from a peer that was still downloading it: machines that " +
      "upgrade at the same moment share one download, so that a package crosses the internet once. " +
      "The price: pacman's bar stands still until all of it is there and verified, and on Wi-Fi each " +
      "copy takes the air twice.",
  },
  {
    word: "spool",
    meaning:
      "What a neighbour asked for, while it is downloaded here or before it is in the cache.",
  },
  {
    word: "mirror http://...",
    meaning: "What this host asked for, from this mirror; for others a redirect to it.",
  },
  {
    word: "mirror http://... (not verified)",
    meaning: "No mirror said in time that it has the file, and this one may have it.",
  },
  {
    word: "file repository",
    meaning: "A repository in a directory (Server = file:///srv/repository).",
  },
  { word: "nowhere", meaning: "Neither the cache nor a peer nor a mirror has the file." },
];

/** Why a server calls itself what it does. */
export function originalServers(program: Program): Section {
  return {
    title: "Servers of the original",
    content: [
      "Servers of the original of 2013 and these find each other and exchange files. They know each " +
      `other by the name and version of their protocol, which is why every reply says "Server: ` +
      `${serverHeader(program)}", whatever version this is.`,
    ],
  };
}
