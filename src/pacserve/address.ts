/**
 * The addresses that pacman uses, in the forms that `Server` lines for pacserve have had:
 *
 * - `http://localhost:15678/pacman/$repo/os/$arch`. Programs such as devtools' arch-nspawn find `$repo`
 *   and `$arch` in a server by the `/os/` between them, which all mirrors of Arch have;
 * - `http://localhost:15678/pacman/$repo/$arch`, and `/request/$repo/$arch` until 2011;
 * - `http://localhost:15678/pkg/?repo=$repo&arch=$arch&file=`;
 * - `/pkg/<file>`, the place in the shared tree that the others stand for.
 */

import { decodeSegment, type Target } from "../http/target.ts";

/** What pacman asks for. */
export interface PacmanAddress {
  /** Null where the address does not say. */
  readonly repository: string | null;
  readonly architecture: string | null;
  /** One file name: no slash, no NUL, not empty, not `.` or `..`. */
  readonly file: string;
}

/** The directory of the shared tree in which all packages are. */
export const PACKAGES = "pkg";

/** No file system that Linux knows has longer names. */
const MAX_NAME = 255;

/**
 * Takes an address of pacman's apart.
 *
 * @returns null when it is none, such as the listing of `/pkg/`, or has a piece too many or too few.
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

/** The path in the shared tree that an address stands for. */
export function placeOf(address: PacmanAddress): readonly string[] {
  return [PACKAGES, address.file];
}

/** True for a package and for its signature: makepkg puts `.pkg.` into every name, nothing else does. */
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
 * True for what repo-add makes for a repository and pacman asks for: `core.db`, `core.files`, their
 * archives' full names, and their signatures.
 */
export function isDatabaseOf(repository: string, file: string): boolean {
  return file.startsWith(`${repository}.`) &&
    /^(db|files)(\.tar(\.[a-z0-9]+)?)?(\.sig)?$/.test(file.slice(repository.length + 1));
}

/** True for what pacman can do without: the signature of a database. */
export function isOptional(file: string): boolean {
  return isSignature(file) && !isPackageOrItsSignature(file);
}

/** Names a repository's database; its signature has the same name. */
export function databaseOf({ repository, file }: PacmanAddress): string {
  return `${repository}/${isSignature(file) ? file.slice(0, -".sig".length) : file}`;
}

/**
 * The address of a package on a peer, written so that pacman still asks *us* for its signature.
 *
 * After a redirect pacman asks the target for `<package>.sig`, unless the target's name has no
 * `.pkg` in it. To the peer an encoded dot is a dot.
 *
 * `http://10.0.0.2:15678/pkg/foo-1-1-any.pkg.tar.zst` becomes `…/foo-1-1-any%2Epkg.tar.zst`.
 */
export function hidePackageName(url: string): string {
  const slash = url.lastIndexOf("/") + 1;
  return url.slice(0, slash) + url.slice(slash).replaceAll(".pkg", "%2Epkg");
}

/**
 * `repo=core&arch=x86_64&file=/core.db`. Not read as a form's: there a `+` is a space, but here it is
 * part of a package's name.
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

/** Null for a value that is missing or empty, undefined for one that is malformed. */
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
