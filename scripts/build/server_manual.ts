/** Sections of the man pages of both servers, and sections that only quickserve(1) has. */

import type { Program } from "../../src/commands/serve/options.ts";
import { serverHeader } from "../../src/peers/announcement.ts";
import type { Section, Term } from "./manual_section.ts";

/** The effects of signals. */
export const SIGNALS: Section = {
  title: "Signals",
  content: [
    "SIGTERM and SIGINT end the server: it accepts no more connections, and transfers have one and a half " +
    "seconds to finish. SIGHUP makes it read its files again; it also does so when it notices that one " +
    "has changed. If there is a mistake in a file, the last valid configuration stays in force.",
  ],
};

/** Programs to download and upload files with. */
export const CLIENTS: Section = {
  title: "Clients",
  content: [
    "A browser gets pages, curl(1) gets a table in plain text, and a script gets the format that it names in " +
    "the field Accept or the parameter mimetype:",
    {
      literal: "curl http://192.168.1.5:8000/music/\n" +
        "curl 'http://192.168.1.5:8000/music/?mimetype=application/json'",
    },
    "Upload a file (if --upload is given) with PUT or a form, and download a directory as an archive (if " +
    "--tar is given):",
    {
      literal: "curl -T photo.jpg http://192.168.1.5:8000/photo.jpg\n" +
        "curl -F file=@photo.jpg http://192.168.1.5:8000/\n" +
        "curl -OJ 'http://192.168.1.5:8000/music/?tar=zip'",
    },
    "The page ?page=peers shows the peers, ?page=upload the form for uploads, and ?page=about the features " +
    "of the server.",
    "If users are configured, clients log in with digest authentication (curl --digest -u alice). Clients " +
    "that support only basic authentication, such as aria2c(1), can use it on the same machine or with TLS.",
    "The parameter search finds names that contain all of its words, in a directory and below it. Hidden " +
    "files are not found. A search that ends early, after two seconds or a thousand names, says so.",
    { literal: "curl 'http://192.168.1.5:8000/music/?search=live+flac'" },
    "A file whose name is not in UTF-8 has no URL and is not listed. Pages and tables show invisible " +
    "characters of a name as an escape, such as \\n for a line feed.",
  ],
};

/** The fields of JSON replies. */
export const DATA: Section = {
  title: "Data for scripts",
  content: [
    "As application/json a directory has its path and its entries. The parameters sort=name, sort=size or " +
    "sort=time, and order=asc or order=desc, set their order:",
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
    "kind is file or directory, size is in bytes, and modified is in UTC. size and modified are null if they " +
    "are not known; a directory has no size. href is the path of the entry on this server. With " +
    "--list-remote it may be the URL on a peer; peer then is the URL of that peer.",
    "The answer to an upload lists the files that were stored and those that were not. name is the name of " +
    "the stored file, requested the name that the client sent; reason is a sentence for people:",
    {
      literal: '{"uploaded":[{"name":"a.1.txt","requested":"a.txt","size":3}],\n' +
        ' "failed":[{"name":"..","reason":"The name refers to a directory."}]}',
    },
    "The page of peers is",
    {
      literal: '{"peers": [{"url": "http://192.168.1.7:8000/", "origin": "announcement",\n' +
        '            "state": "alive", "trouble": null, "lastSeen": 12.5,\n' +
        '            "roundTrip": 0.8, "transfers": 0}],\n' +
        ' "means": ["multicast"], "interfaces": ["eth0"]}',
    },
    "origin is static (--peer), announcement (multicast or multicast DNS) or nudge (it sent this server a " +
    "message). state is alive, candidate (it has not answered yet) or backoff (it failed and is not asked " +
    "for a while; trouble is the reason). lastSeen is in seconds before now, roundTrip in milliseconds, and " +
    "transfers is the number of files that it was sending; null means unknown. means and interfaces are the " +
    "means of discovery and the interfaces on which this server looks for peers.",
    "Later versions may add fields; these fields keep their names and meanings.",
  ],
};

/** The syntax of filters. */
export const FILTERS: Section = {
  title: "Filter expressions",
  content: [
    "A filter is the letter i (include) or x (exclude), followed by a regular expression in the syntax of " +
    "RE2. It applies to paths on the server in which the expression is found, such as " +
    "/music/live/one.flac. In a filterlist, empty lines and lines that begin with # are ignored:",
    { literal: "# No videos, except short ones.\nx\\.(mkv|mp4)$\ni^/music/clips/" },
    "If several filters match a path, the last one decides; a path that no filter matches is shared. So a " +
    "filter can include a path that an earlier one excludes. Everything in an excluded directory is " +
    "excluded, too. The filters of the command line come after those of filterlists.",
    "To share only one kind of files, exclude every name with a dot in it, and then include that kind. Most " +
    "directories stay included, because their names rarely have a dot:",
    { literal: "x\\.[^/]*$\ni(?i)\\.flac$" },
  ],
};

/** The syntax of filelists. */
export const FILELISTS: Section = {
  title: "Filelists",
  content: [
    "A plain filelist has one path on each line. As on the command line, each is shared under its own " +
    "name, and no two of all these paths may have the same name. Empty lines and lines that begin with # " +
    "are ignored; write ./#name for a file whose name begins with #. A list is JSON if its name ends in " +
    ".json or if it begins with a bracket.",
    "A JSON filelist is an object. Each name in it is a path on the server, each value a file, a directory, " +
    "or a list of them. The directories of a list appear as one directory; if several have an entry of " +
    "the same name, the first is used. Relative paths begin at the directory of the filelist.",
    {
      literal: '{\n  "music": ["/srv/music", "/home/me/Music"],\n' +
        '  "docs/manual.pdf": "/srv/manual.pdf"\n}',
    },
  ],
};

/** A way to make a certificate. */
export const CERTIFICATES: Section = {
  title: "Certificates",
  content: [
    "This command makes a key and a certificate that is valid for a year. Replace the names and addresses " +
    "after subjectAltName with those that clients use for your server:",
    {
      literal: "openssl req -x509 -newkey rsa:2048 -nodes -days 365 \\\n" +
        "    -keyout key.pem -out cert.pem -subj /CN=localhost \\\n" +
        "    -addext subjectAltName=DNS:localhost,IP:192.168.1.5",
    },
    "Start the server with --ssl --certfile cert.pem --keyfile key.pem. Copy cert.pem, and never key.pem, to " +
    "the clients, because they cannot verify the server without it; browsers ask whether to trust it.",
    { literal: "curl --cacert cert.pem https://192.168.1.5:8000/" },
    "A client that says http:// to this port gets a sentence with the right address. Keys are RSA with " +
    "2048 to 8192 bits, P-256, P-384, P-521 or Ed25519.",
  ],
};

/** Returns the section on the log of a server, with an example request. */
export function logSection(program: Program): Section {
  const isPacserve = program === "pacserve";
  return {
    title: "Log",
    content: [
      "Each answered request is a line on standard output, unless --quiet is given" +
      (isPacserve ? "; journalctl -u pacserve shows the output of the service. " : ". ") +
      "The line begins with the combined log format of web servers, for example (in one line)",
      {
        literal: isPacserve
          ? "127.0.0.1 - - [22/Nov/2026:21:31:00 +0000]\n" +
            '    "GET /pacman/core/x86_64/foo-1-1-any.pkg.tar.zst HTTP/1.1" 307 0\n' +
            '    "-" "pacman/7.0.0" 0.004s peer http://192.168.1.7:15678'
          : "10.0.0.2 - alice [22/Nov/2026:21:31:00 +0000]\n" +
            '    "GET /music/one.flac HTTP/1.1" 200 28312077\n' +
            '    "-" "curl/8.17.0" 2.520s file',
      },
      "It has the address of the client, a dash, the user who logged in, the time, the request, the status, " +
      "the number of bytes of the body that were sent, the page with the link (Referer) and the name of the " +
      "client (User-Agent). - means empty; three dots mark a long value that was cut. Then come the seconds " +
      "from the request to the end of the reply and, for files, the source:",
      {
        terms: [
          ...(isPacserve
            ? [{
              word: "cache",
              meaning: "The package cache, or another directory that this server shares.",
            }]
            : [{ word: "file", meaning: "A file that this server shares." }]),
          {
            word: "peer http://...",
            meaning:
              "For this host, a file that came from this peer. For other clients, a redirect to the peer, " +
              "whose log then has the transfer.",
          },
          ...(isPacserve ? PACSERVE_SOURCES : []),
          {
            word: "aborted",
            meaning: "The connection ended before the whole reply was sent.",
          },
        ],
      },
      ...(isPacserve
        ? [
          "Requests for the status and for /metrics that were answered are logged only with --verbose, because " +
          "programs that show the status send one every second.",
        ]
        : []),
      "Other lines are sentences: warnings, errors and, with --verbose, what peers do and why a source was " +
      "chosen.",
    ],
  };
}

const PACSERVE_SOURCES: readonly Term[] = [
  {
    word: "peer http://... (in flight)",
    meaning:
      "For this host, a file that came from a peer while that was still downloading it. Machines that " +
      "upgrade at the same time share one download, so that a package crosses the internet only once. The " +
      "disadvantages: pacman shows no progress until the whole file has arrived and is verified, and on " +
      "Wi-Fi each copy is sent twice over the air.",
  },
  {
    word: "spool",
    meaning:
      "For another machine, a file that this server is still downloading, or that is not in the cache yet.",
  },
  {
    word: "mirror http://...",
    meaning:
      "For this host, a file that came from this mirror. For other clients, a redirect to the mirror.",
  },
  {
    word: "mirror http://... (not verified)",
    meaning:
      "A redirect to a mirror that may have the file; no mirror confirmed in time that it has it.",
  },
  {
    word: "file repository",
    meaning: "A repository in a directory (Server = file:///srv/repository).",
  },
  { word: "nowhere", meaning: "Neither the cache nor a peer nor a mirror has the file." },
];

/** Returns the section on the value of the `Server` field. */
export function originalServers(program: Program): Section {
  return {
    title: "Servers of the original",
    content: [
      "The servers of the original program of 2013 and these servers find each other and exchange files. They " +
      `recognize each other by the name and version of the protocol. Therefore every reply has "Server: ` +
      `${serverHeader(program)}", whatever the version of this program is.`,
    ],
  };
}
