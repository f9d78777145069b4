/**
 * Parses the URLs of pacman's requests. The `Server` lines for pacserve have had these forms:
 *
 * - `http://localhost:15678/pacman/$repo/os/$arch`. Programs such as arch-nspawn of devtools find `$repo`
 *   and `$arch` in a server by the `/os/` between them, which the URLs of all Arch mirrors have;
 * - `http://localhost:15678/pacman/$repo/$arch`, and `/request/$repo/$arch` until 2011;
 * - `http://localhost:15678/pkg/?repo=$repo&arch=$arch&file=`;
 * - `/pkg/<file>`, the path in the shared tree to which the other forms lead.
 */

import { decodeSegment, type Target } from "../http/target.ts";

/** The file that pacman requests. */
export interface PacmanAddress {
  /** Null when the URL does not contain it. */
  readonly repository: string | null;
  readonly architecture: string | null;
  /** One file name: no slash, no NUL, not empty, not `.` or `..`. */
  readonly file: string;
}

/** The directory of the shared tree in which all packages are. */
export const PACKAGES = "pkg";

/** Maximum length of a file name. No file system of Linux supports longer names. */
const MAX_NAME = 255;

/**
 * Parses the URL of a request of pacman.
 *
 * @returns null for any other URL, for example that of the listing `/pkg/`, or one with too many segments.
 */
export function parsePacmanAddress(target: Target): PacmanAddress | null {
  const [first, second, third, fourth, fifth] = target.segments;
  switch (first) {
    case "pacman":
    case "request":
      if (target.trailingSlash) return null;
      if (target.segments.length === 5 && third === "os") return address(second, fourth, fifth);
      return target.segments.length === 4 ? address(second, third, fourth) : null;
    case PACKAGES:
      if (target.segments.length === 1) return parseQuery(target.search);
      if (target.segments.length !== 2 || target.trailingSlash) return null;
      return address(null, null, second);
    default:
      return null;
  }
}

/** Returns the path of the file in the shared tree. */
export function placeOf(address: PacmanAddress): readonly string[] {
  return [PACKAGES, address.file];
}

/** True for a package and for its signature. Only their names contain `.pkg.`, which makepkg adds. */
export function isPackageOrItsSignature(file: string): boolean {
  return file.includes(".pkg.");
}

/** True for a detached signature. */
export function isSignature(file: string): boolean {
  return file.endsWith(".sig");
}

/** True for a package itself. */
export function isPackage(file: string): boolean {
  return isPackageOrItsSignature(file) && !isSignature(file);
}

/**
 * True for the files that repo-add creates for a repository, and that pacman requests: `core.db`,
 * `core.files`, the full names of these archives, and their signatures.
 */
export function isDatabaseOf(repository: string, file: string): boolean {
  return file.startsWith(`${repository}.`) &&
    /^(db|files)(\.tar(\.[a-z0-9]+)?)?(\.sig)?$/.test(file.slice(repository.length + 1));
}

/** True for a file that pacman does not need: the signature of a database. */
export function isOptional(file: string): boolean {
  return isSignature(file) && !isPackageOrItsSignature(file);
}

/** Returns the key of a database; the key of its signature is the same. */
export function databaseOf({ repository, file }: PacmanAddress): string {
  return `${repository}/${isSignature(file) ? file.slice(0, -".sig".length) : file}`;
}

/**
 * Returns the URL of a package on a peer, encoded such that pacman requests the signature from *this* server.
 *
 * After a redirect pacman requests `<package>.sig` from the target, unless the name in the target's URL does
 * not contain `.pkg`. The peer decodes the encoded dot.
 *
 * `http://10.0.0.2:15678/pkg/foo-1-1-any.pkg.tar.zst` becomes `…/foo-1-1-any%2Epkg.tar.zst`.
 */
export function hidePackageName(url: string): string {
  const slash = url.lastIndexOf("/") + 1;
  return url.slice(0, slash) + url.slice(slash).replaceAll(".pkg", "%2Epkg");
}

/**
 * Parses `repo=core&arch=x86_64&file=/core.db`. `URLSearchParams` is not used, because it decodes `+` as a
 * space, but here `+` is a part of the name of a package.
 */
function parseQuery(search: string): PacmanAddress | null {
  const values = new Map<string, string>();
  for (const field of search.split("&")) {
    const separator = field.indexOf("=");
    if (separator <= 0) continue;
    const key = field.slice(0, separator);
    if (!values.has(key)) values.set(key, field.slice(separator + 1));
  }
  const file = values.get("file")?.replace(/^(\/|%2F)+/i, "");
  if (file === undefined) return null;
  const repository = decodeOptional(values.get("repo"));
  const architecture = decodeOptional(values.get("arch"));
  if (repository === undefined || architecture === undefined) return null;
  return address(repository, architecture, decodeSegment(file) ?? undefined);
}

/** Returns null for a missing or empty value, undefined for a malformed one. */
function decodeOptional(raw: string | undefined): string | null | undefined {
  if (raw === undefined || raw === "") return null;
  return decodeSegment(raw) ?? undefined;
}

function address(
  repository: string | null | undefined,
  architecture: string | null | undefined,
  file: string | undefined,
): PacmanAddress | null {
  if (repository === undefined || architecture === undefined) return null;
  if (file === undefined || file === "" || file.length > MAX_NAME) return null;
  return { repository, architecture, file };
}
