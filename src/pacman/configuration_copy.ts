/**
 * Makes the configuration with which `pacsrv` runs pacman: a copy of the user's, with pacserve as the
 * first server of each repository.
 */

import { Failure, messageOf } from "../failure.ts";
import { expandInclude, includePattern, MAX_DEPTH } from "./included_files.ts";
import { insertInclude, PACSERVE_INCLUDE } from "./insert.ts";
import { decodeBytes, directive, encodeBytes, joinLines, type Line, splitLines } from "./lines.ts";
import { isAbsolute, join, resolve } from "../std.ts";

/** Write permission of the group and of all others. */
const WRITABLE_BY_OTHERS = 0o022;

/** The longest name of a file on Linux's file systems, in bytes (`NAME_MAX`). */
const MAX_NAME = 255;

/** How a copy refers to pacserve. */
interface CopyOptions {
  /** The file with pacserve's address for pacman. */
  readonly addressFile: string;
  /**
   * False: `addressFile` is copied too, without its `CacheServer` lines, and the copy is included. This
   * is for versions of pacman before 6.1, which warn about such lines.
   */
  readonly cacheServers: boolean;
}

/** The directory of a user's copies (XDG Base Directory Specification); root's is in `/var/cache`. */
export function copyDirectory(
  user: number,
  environment: { readonly xdgCacheHome: string | undefined; readonly home: string | undefined },
): string {
  if (user === 0) return "/var/cache/pacserve";
  const { home, xdgCacheHome } = environment;
  // The specification says to ignore a relative path.
  if (xdgCacheHome !== undefined && isAbsolute(xdgCacheHome)) return join(xdgCacheHome, "pacserve");
  if (home === undefined || !isAbsolute(home)) {
    throw new Failure("there is no directory for the configuration: set XDG_CACHE_HOME or HOME");
  }
  return join(home, ".cache", "pacserve");
}

/**
 * Makes a copy of a configuration, unless there is an up-to-date one already.
 *
 * An included file that defines repositories is copied too, and the `Include` line names the copy;
 * other files are included from their own path. Each existing copy is compared with the text that it
 * should have now, and replaced as a whole if it differs.
 *
 * @param path of the configuration.
 * @param directory for the copies; created if it does not exist.
 * @param user the id of the user who runs pacman.
 * @returns the path of the copy.
 * @throws {Failure} when other users can write to the directory, or a file cannot be read.
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

/** Copies the file that names pacserve, for a pacman that does not support `CacheServer`. */
async function copyWithoutCacheServers(path: string, directory: string): Promise<string> {
  const lines = splitLines(await readRegularFile(path));
  const kept = lines.filter(({ content }) => directive(content)?.key !== "CacheServer");
  return await writeCopy(directory, path, joinLines(kept));
}

/** The directory of the copies, and the path in their `Include` lines for pacserve. */
interface CopyPlace {
  readonly directory: string;
  readonly include: string;
}

/** The text of a file's copy. */
interface ChangedText {
  readonly text: string;
  /** False when the file defines no repository, and therefore needs no copy. */
  readonly definesRepositories: boolean;
}

async function changedText(path: string, place: CopyPlace, depth: number): Promise<ChangedText> {
  const { include } = place;
  // The user's file may include pacserve already.
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
 * @returns the files to include instead, in pacman's order; null when no file needs a copy.
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
      // Do not fail for an unreadable included file: pacman itself will report it.
      .catch(() => ({ text: "", definesRepositories: false }));
    copied ||= definesRepositories;
    result.push(definesRepositories ? await writeCopy(place.directory, path, text) : path);
  }
  return copied ? result : null;
}

/** Reads a regular file. A pipe is refused, because pacman could not read it again. */
async function readRegularFile(path: string): Promise<string> {
  const { isFile } = await Deno.stat(path);
  if (!isFile) throw new Failure(`${path} is not a regular file`);
  return decodeBytes(await Deno.readFile(path));
}

async function makeDirectory(directory: string, user: number): Promise<void> {
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
  const { isDirectory, mode, uid } = await Deno.lstat(directory);
  if (!isDirectory) throw new Failure(`${directory} is not a directory`);
  if (uid !== user) throw new Failure(`${directory} belongs to another user; remove it`);
  if (((mode ?? 0) & WRITABLE_BY_OTHERS) !== 0) {
    throw new Failure(`other users can write to ${directory}; remove their permission`);
  }
}

async function writeCopy(directory: string, path: string, text: string): Promise<string> {
  const copy = join(directory, copyName(path));
  if (await hasText(copy, text)) return copy;
  const temporary = await Deno.makeTempFile({ dir: directory, prefix: ".new-" });
  try {
    await Deno.writeFile(temporary, encodeBytes(text));
    // A mirror's URL can contain a password: users who may not read the original may not read the copy.
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

/** The name of a file's copy: that of `/etc/pacman.conf` is `%2Fetc%2Fpacman.conf`. */
function copyName(path: string): string {
  const name = encodeURIComponent(path);
  if (name.length > MAX_NAME) {
    throw new Failure(`the path ${path} is too long for the name of its copy (${MAX_NAME} bytes)`);
  }
  return name;
}

/** Escapes the wildcards in a path, because pacman passes the paths of `Include` lines to glob(3). */
function quoteGlob(path: string): string {
  return path.replace(/[\\*?[]/g, "\\$&");
}
