/** Media types of files, by their names. */

import { loadContentTypes } from "../std.ts";

const binary = "application/octet-stream";
const plainText = "text/plain; charset=UTF-8";

/** Matches packages and databases of pacman, in every compression. */
const forPacman = /\.pkg\.tar(?:\.[a-z0-9]+)?$|\.(?:db|files)(?:\.tar(?:\.[a-z0-9]+)?)?$/;

/** Matches gpg signatures of packages and databases. */
const signature = /\.sig$/;

/**
 * Extensions of source code and other texts, sent as `text/plain`, which browsers show. They would save
 * many of the registered types of these files (`text/x-c`, `application/x-perl`, `text/yaml`) to the disk.
 */
const texts: ReadonlySet<string> = new Set(
  (
    "adoc asc asm ass astro awk b2 bash bat bib c cc cfg cjs clj cmake cmd coffee conf cpp cs csh " +
    "csproj cue cxx d dart desktop diff dockerfile edn el erb erl ex exs f f90 fish for fs fsx glsl go " +
    "gradle graphql groovy h haml hcl hh hpp hrl hs hxx in inc ini ino install java jl json5 jsonl jsx " +
    "ksh kt kts less lisp lock log lua m4 md md5 mk ml mli mm nfo nim nix org pas patch php pl pm po " +
    "properties proto ps1 psm1 pug py pyi pyx r rb rkt rmd rs rst sass sbt scala scm scss sed service " +
    "sfv sh sha1 sha256 sha512 sln socket sql srt ssa sub sv svelte swift target tcl tex textile tf " +
    "tfvars timer toml tsx url v vb vbs vhdl vim vue xaml yaml yml zig zsh"
  ).split(" "),
);

/**
 * Types that the registry lacks, or for which players and browsers expect another name. The list was
 * compared with those of Debian and nginx. The registered type is used for `.ts` (a video, as in nginx),
 * for `.csv` and `.tsv` (no browser shows them, but programs want their type), and for `.m3u`
 * (`audio/x-mpegurl`).
 */
const preferred: ReadonlyMap<string, string> = new Map(Object.entries({
  ac3: "audio/ac3",
  ape: "audio/x-ape",
  appimage: "application/vnd.appimage",
  arw: "image/x-sony-arw",
  azw3: "application/vnd.amazon.mobi8-ebook",
  bz2: "application/x-bzip2",
  cbr: "application/vnd.comicbook-rar",
  cbz: "application/vnd.comicbook+zip",
  cr2: "image/x-canon-cr2",
  cr3: "image/x-canon-cr3",
  deb: "application/vnd.debian.binary-package",
  divx: "video/x-msvideo",
  dng: "image/x-adobe-dng",
  dsf: "audio/x-dsf",
  fb2: "application/x-fictionbook+xml",
  flac: "audio/flac",
  flatpak: "application/vnd.flatpak",
  ipynb: "application/json",
  jfif: "image/jpeg",
  lz: "application/x-lzip",
  lz4: "application/x-lz4",
  lzma: "application/x-lzma",
  m4b: "audio/mp4",
  m4v: "video/mp4",
  mpc: "audio/x-musepack",
  nef: "image/x-nikon-nef",
  orf: "image/x-olympus-orf",
  pls: "audio/x-scpls",
  rw2: "image/x-panasonic-rw2",
  sqlite: "application/vnd.sqlite3",
  step: "model/step",
  stp: "model/step",
  // As an image without the field Content-Encoding, browsers would show it as broken XML.
  svgz: "application/gzip",
  tbz: "application/x-bzip2",
  tbz2: "application/x-bzip2",
  tgz: "application/gzip",
  tta: "audio/x-tta",
  txz: "application/x-xz",
  tzst: "application/zstd",
  vcf: "text/vcard; charset=UTF-8",
  wav: "audio/wav",
  wv: "audio/x-wavpack",
  xcf: "image/x-xcf",
  zst: "application/zstd",
}));

/** Matches the names of texts that have no extension. */
const plainNames =
  /^(?:authors|changelog|changes|containerfile|copying|dockerfile|gemfile|install|justfile|license|makefile|motd|news|notice|pkgbuild|readme|todo|vagrantfile|(?:b2|md5|sha\d{1,3})sums)$/i;

/** Returns the registered media type of an extension; null until {@link loadMediaTypes} has loaded it. */
let registered: ((extension: string) => string | undefined) | null = null;

/**
 * Returns the `Content-Type` of a file with this name, including the charset of a text:
 * `text/html; charset=UTF-8`.
 *
 * A package is `application/octet-stream`, so that no proxy or client unpacks it.
 *
 * @returns null when the registry has to be loaded first ({@link loadMediaTypes}); never for a file
 * that pacman requests.
 */
export function contentTypeOf(name: string): string | null {
  if (forPacman.test(name)) return binary;
  if (signature.test(name)) return "application/pgp-signature";
  if (plainNames.test(name)) return plainText;
  const extension = /[^.](\.[a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase();
  if (extension === undefined) return binary;
  const suffix = extension.slice(1);
  if (texts.has(suffix)) return plainText;
  return preferred.get(suffix) ?? (registered === null ? null : registered(extension) ?? binary);
}

/** Loads the registry of media types: afterwards every name has a `Content-Type`. */
export async function loadMediaTypes(): Promise<void> {
  registered ??= await loadContentTypes();
}
