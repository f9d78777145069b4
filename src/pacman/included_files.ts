/** Which files a pacman.conf is made of: itself and everything it includes (pacman.conf(5)). */

import { isAbsolute, normalize, resolve } from "node:path";
import { expandGlob, hasWildcard } from "./glob.ts";

/** The files of a configuration, and where more may appear. */
interface IncludedFiles {
  /**
   * Absolute paths, each once: the configuration itself, then what it includes, then what that
   * includes. One that an `Include` names without a wildcard is in the list even while it does not
   * exist.
   */
  readonly files: readonly string[];
  /** Directories in which an `Include` with a wildcard looks: a new file there may be included. */
  readonly directories: readonly string[];
}

/** pacman's own bound on includes within includes. */
export const MAX_DEPTH = 10;
/** No configuration has as many; a set of files that include each other must end. */
const MAX_FILES = 1000;

/**
 * Finds the files that make up a configuration. Files that are missing or unreadable include
 * nothing; it never throws because of what a file says.
 *
 * @param path of the configuration; a relative one is taken from the current directory.
 */
export async function includedFiles(path: string): Promise<IncludedFiles> {
  const root = resolve(path);
  const files = new Set<string>([root]);
  const directories = new Set<string>();
  let level: string[] = [root];
  for (let depth = 0; depth < MAX_DEPTH && level.length > 0; depth++) {
    const next: string[] = [];
    for (const file of level) {
      for (const pattern of includePatterns(await textOrNothing(file))) {
        const expanded = await expandInclude(pattern);
        for (const directory of expanded.directories) directories.add(directory);
        for (const included of expanded.paths) {
          if (files.has(included) || files.size >= MAX_FILES) continue;
          files.add(included);
          next.push(included);
        }
      }
    }
    level = next;
  }
  return { files: [...files], directories: [...directories] };
}

/** The paths that the `Include` lines of a file name, in order, wildcards not yet expanded. */
export function includePatterns(text: string): string[] {
  const patterns: string[] = [];
  for (const line of text.split("\n")) {
    const pattern = includePattern(line);
    if (pattern !== null) patterns.push(pattern);
  }
  return patterns;
}

/** The path that a line includes; null when it is no `Include` line. */
export function includePattern(line: string): string | null {
  const match = /^\s*Include\s*=\s*(\S.*?)\s*$/.exec(line);
  return match?.[1] ?? null;
}

/**
 * The files that one `Include` stands for. Without a wildcard it is that path, whether or not it
 * exists.
 */
export async function expandInclude(
  pattern: string,
): Promise<{ readonly paths: readonly string[]; readonly directories: readonly string[] }> {
  const absolute = isAbsolute(pattern) ? pattern : resolve(pattern);
  if (!hasWildcard(absolute)) return { paths: [normalize(absolute)], directories: [] };
  return await expandGlob(absolute);
}

async function textOrNothing(file: string): Promise<string> {
  try {
    // Reading a pipe would wait for a writer.
    return (await Deno.stat(file)).isFile ? await Deno.readTextFile(file) : "";
  } catch {
    // What is wrong with the file is pacman-conf's to say, with the line; here it includes nothing.
    return "";
  }
}
