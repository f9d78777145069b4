/** Lists the files of a configuration: the pacman.conf and everything that it includes. */

import { expandGlob, hasWildcard } from "./glob.ts";
import { isAbsolute, normalize, resolve } from "../std.ts";

/** The files of a configuration, and the directories in which more may appear. */
interface IncludedFiles {
  /**
   * Absolute paths without duplicates: the configuration itself, then the files that it includes, then
   * the files that those include. A file that an `Include` names without a wildcard is in the list even
   * if it does not exist.
   */
  readonly files: readonly string[];
  /** Directories in which an `Include` with a wildcard looks: a new file there may be included. */
  readonly directories: readonly string[];
}

/** pacman's limit on the depth of nested includes. */
export const MAX_DEPTH = 10;
/** The most files that are listed; a limit against endless includes, far above any real configuration. */
const MAX_FILES = 1000;

/**
 * Lists the files of a configuration. Files that are missing or unreadable are taken to include
 * nothing. It never throws because of the content of a file.
 *
 * @param path of the configuration; a relative path starts at the current directory.
 */
export async function includedFiles(path: string): Promise<IncludedFiles> {
  const root = resolve(path);
  const files = new Set<string>([root]);
  const directories = new Set<string>();
  let level: string[] = [root];
  for (let depth = 0; depth < MAX_DEPTH && level.length > 0; depth++) {
    const next: string[] = [];
    for (const file of level) {
      for (const line of (await textOrNothing(file)).split("\n")) {
        const pattern = includePattern(line);
        if (pattern === null) continue;
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

/** The path in an `Include` line; null for any other line. */
export function includePattern(line: string): string | null {
  const match = /^\s*Include\s*=\s*(\S.*?)\s*$/.exec(line);
  return match?.[1] ?? null;
}

/**
 * The files that an `Include` includes. Without a wildcard this is its path, even if no such file
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
    // pacman-conf reports the fault of this file, with the line. Here the file includes nothing.
    return "";
  }
}
