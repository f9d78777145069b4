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
    "asc ass awk bash bat bib c cc cfg cmake cmd conf cpp cs cue cxx d dart desktop diff dockerfile el " +
    "erl ex exs f90 fish go gradle groovy h hh hpp hs hxx inc ini install java jl json5 jsonl jsx kt " +
    "less lisp log lua m4 md mk ml nfo nim nix org patch php pl pm properties proto ps1 py pyi r rb " +
    "rkt rs rst sass scala scm scss service sh socket sql srt ssa sub svelte swift target tcl tex " +
    "textile timer toml tsx v vb vhd vim vue yaml yml zig zsh"
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
  bz2: "application/x-bzip2",
  cr2: "image/x-canon-cr2",
  deb: "application/vnd.debian.binary-package",
  dng: "image/x-adobe-dng",
  flac: "audio/flac",
  flatpak: "application/vnd.flatpak",
  ipynb: "application/json",
  jfif: "image/jpeg",
  lz: "application/x-lzip",
  lz4: "application/x-lz4",
  lzma: "application/x-lzma",
  m4b: "audio/mp4",
  m4v: "video/mp4",
  nef: "image/x-nikon-nef",
  sqlite: "application/vnd.sqlite3",
  // As an image without the field Content-Encoding, browsers would show it as broken XML.
  svgz: "application/gzip",
  tbz: "application/x-bzip2",
  tgz: "application/gzip",
  txz: "application/x-xz",
  vcf: "text/vcard; charset=UTF-8",
  wav: "audio/wav",
  wv: "audio/x-wavpack",
  xcf: "image/x-xcf",
  zst: "application/zstd",
}));

/** Matches the names of texts that have no extension. */
const plainNames =
  /^(?:authors|changelog|changes|containerfile|copying|dockerfile|gemfile|install|justfile|license|makefile|motd|news|notice|pkgbuild|readme|todo|vagrantfile)$/i;

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
