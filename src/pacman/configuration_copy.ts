/**
 * The copy of pacman's configuration that `pacsrv` runs pacman with: the user's own, with pacserve
 * as the first server of each repository.
 */

import { isAbsolute, join, resolve } from "node:path";
import { Failure, messageOf } from "../failure.ts";
import { expandInclude, includePattern, MAX_DEPTH } from "./included_files.ts";
import { insertInclude, PACSERVE_INCLUDE } from "./insert.ts";
import { decodeBytes, directive, encodeBytes, joinLines, type Line, splitLines } from "./lines.ts";

/** Write permission of the group and of all others. */
const WRITABLE_BY_OTHERS = 0o022;

/** The longest name of a file on Linux's file systems, in bytes (`NAME_MAX`). */
const MAX_NAME = 255;

/** How pacserve is named in a copy. */
interface CopyOptions {
  /** The file that names pacserve to pacman. */
  readonly addressFile: string;
  /**
   * False: that file is copied, too, without its `CacheServer` lines, and included from the copy. A
   * pacman older than 6.1 warns of them.
   */
  readonly cacheServers: boolean;
}

/** Where a user's copies are, by the XDG Base Directory Specification; root's are in `/var/cache`. */
export function copyDirectory(
  user: number,
  environment: { readonly xdgCacheHome: string | undefined; readonly home: string | undefined },
): string {
  if (user === 0) return "/var/cache/pacserve";
  const { home, xdgCacheHome } = environment;
  // The specification: a relative path is to be ignored.
  if (xdgCacheHome !== undefined && isAbsolute(xdgCacheHome)) return join(xdgCacheHome, "pacserve");
  if (home === undefined || !isAbsolute(home)) {
    throw new Failure("neither XDG_CACHE_HOME nor HOME names a directory for the configuration");
  }
  return join(home, ".cache", "pacserve");
}

/**
 * Makes the copy of a configuration, or finds the one that is there already to be the same.
 *
 * A file that it includes and that defines repositories gets a copy too, and the `Include` line
 * points there; other files are included from where they are. What is written is compared with what
 * the files say now, so that no change goes unnoticed, and replaced as a whole.
 *
 * @param path of the configuration.
 * @param directory for the copies; made if it is missing.
 * @param user the id of the user who runs pacman.
 * @returns the path of the copy.
 * @throws {Failure} when somebody else could write in the directory, or a file cannot be read.
 */
export async function copyConfiguration(
  path: string,
  directory: string,
  user: number,
  { addressFile, cacheServers }: CopyOptions = {
    addressFile: PACSERVE_INCLUDE,
    cacheServers: true,
  },
): Promise<string> {
  await makeDirectory(directory, user);
  const include = cacheServers
    ? PACSERVE_INCLUDE
    : quoteGlob(await copyWithoutCacheServers(addressFile, directory));
  const changed = await changedText(resolve(path), { directory, include }, 0);
  return await writeCopy(directory, resolve(path), changed.text);
}

/** Copies the file that names pacserve, for a pacman that does not know `CacheServer`. */
async function copyWithoutCacheServers(path: string, directory: string): Promise<string> {
  const lines = splitLines(await readRegularFile(path));
  const kept = lines.filter(({ content }) => directive(content)?.key !== "CacheServer");
  return await writeCopy(directory, path, joinLines(kept));
}

/** Where copies go, and what their `Include` lines for pacserve name. */
interface CopyPlace {
  readonly directory: string;
  readonly include: string;
}

/** What a file would say in its copy. */
interface ChangedText {
  readonly text: string;
  /** False: the file says nothing of repositories, and needs no copy. */
  readonly definesRepositories: boolean;
}

async function changedText(path: string, place: CopyPlace, depth: number): Promise<ChangedText> {
  const { include } = place;
  // The user's own file may have the line already.
  const original = splitLines(await readRegularFile(path)).map((line) =>
    includePattern(line.content) === PACSERVE_INCLUDE && include !== PACSERVE_INCLUDE
      ? { content: `Include = ${include}`, ending: line.ending }
      : line
  );
  const { text, repositories } = insertInclude(joinLines(original), include);
  let definesRepositories = repositories.length > 0;
  const lines: Line[] = [];
  for (const line of splitLines(text)) {
    const pattern = depth < MAX_DEPTH ? includePattern(line.content) : null;
    const included = pattern === null || pattern === include
      ? null
      : await copyIncluded(pattern, place, depth + 1);
    if (included === null) {
      lines.push(line);
      continue;
    }
    definesRepositories = true;
    const last = included.length - 1;
    for (const [index, file] of included.entries()) {
      const ending = index === last || line.ending !== "" ? line.ending : "\n";
      lines.push({ content: `Include = ${quoteGlob(file)}`, ending });
    }
  }
  return { text: joinLines(lines), definesRepositories };
}

/**
 * Copies those of the included files that define repositories.
 *
 * @returns the files to include instead, in pacman's order; null when none needs a copy.
 */
async function copyIncluded(
  pattern: string,
  place: CopyPlace,
  depth: number,
): Promise<string[] | null> {
  const result: string[] = [];
  let copied = false;
  for (const path of (await expandInclude(pattern)).paths) {
    const { text, definesRepositories } = await changedText(path, place, depth)
      // pacman complains of an included file that it cannot read; the copy leaves that to it.
      .catch(() => ({ text: "", definesRepositories: false }));
    copied ||= definesRepositories;
    result.push(definesRepositories ? await writeCopy(place.directory, path, text) : path);
  }
  return copied ? result : null;
}

/** Reads a file that can be read more than once: what comes out of a pipe would be gone. */
async function readRegularFile(path: string): Promise<string> {
  const { isFile } = await Deno.stat(path);
  if (!isFile) throw new Failure(`${path} is not a regular file`);
  return decodeBytes(await Deno.readFile(path));
}

async function makeDirectory(directory: string, user: number): Promise<void> {
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
  const { isDirectory, mode, uid } = await Deno.lstat(directory);
  if (!isDirectory) throw new Failure(`${directory} is not a directory`);
  if (uid !== user) throw new Failure(`${directory} belongs to another user`);
  if (((mode ?? 0) & WRITABLE_BY_OTHERS) !== 0) {
    throw new Failure(`others can write in ${directory}`);
  }
}

async function writeCopy(directory: string, path: string, text: string): Promise<string> {
  const copy = join(directory, copyName(path));
  if (await hasText(copy, text)) return copy;
  const temporary = await Deno.makeTempFile({ dir: directory, prefix: ".new-" });
  try {
    await Deno.writeFile(temporary, encodeBytes(text));
    // A mirror's address can have a password in it: who may not read that file, may not read this.
    await Deno.chmod(temporary, ((await Deno.stat(path)).mode ?? 0o600) & 0o644);
    await Deno.rename(temporary, copy);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw new Failure(`cannot write ${copy}: ${messageOf(error)}`);
  }
  return copy;
}

async function hasText(copy: string, text: string): Promise<boolean> {
  try {
    return decodeBytes(await Deno.readFile(copy)) === text;
  } catch {
    return false;
  }
}

/** One name for each path: `/etc/pacman.conf` is `%2Fetc%2Fpacman.conf`. */
function copyName(path: string): string {
  const name = encodeURIComponent(path);
  if (name.length > MAX_NAME) {
    throw new Failure(`the path ${path} is too long to keep a copy of`);
  }
  return name;
}

/** Takes the meaning from the characters that glob(7), to which pacman gives the path, knows. */
function quoteGlob(path: string): string {
  return path.replace(/[\\*?[]/g, "\\$&");
}
