/** Reads the paths to share from the command line and from filelists. */

import { Failure, UsageError } from "../failure.ts";
import type { Share } from "./configuration.ts";
import { resolveLocalPath } from "./local_path.ts";
import { basename, dirname } from "../std.ts";

/**
 * Names in the root that paths of the command line and of plain filelists have taken. The values are these
 * paths as the user wrote them. Two paths cannot have the same name.
 */
export type GivenNames = Map<string, string>;

/**
 * Returns the shares for paths of the command line, each under its own name in the root.
 *
 * @param base the absolute directory to which relative paths are relative.
 * @param given the names of the paths are added to it.
 * @throws {UsageError} when two paths have the same name; the error contains both.
 */
export function positionalShares(
  paths: readonly string[],
  base: string,
  given: GivenNames = new Map(),
): Share[] {
  return namedShares(paths.map((path) => ({ path, place: "" })), base, given, UsageError);
}

/**
 * Reads a filelist. In a plain list, every line is a path as on the command line. A JSON list is an object
 * that maps server paths to a file or a list of directories. Relative paths are relative to the list. In a
 * plain list, empty lines and lines that begin with `#` are ignored; a file whose name begins with `#` is
 * written `./#name`. A list whose name ends in `.json`, or that begins with a bracket, is read as JSON.
 *
 * @param file absolute path of the list.
 * @param given the names of a plain list are added to it; a JSON list may use these names again, and its
 * directories are then merged.
 * @throws {Failure} with file and line (and column, in JSON) of the first mistake.
 */
export async function parseFilelist(
  text: string,
  file: string,
  given: GivenNames = new Map(),
): Promise<Share[]> {
  const content = text.replace(/^\ufeff/, "");
  const base = dirname(file);
  if (/\.json$/i.test(file) || /^\s*[{[]/.test(content)) {
    const { parseJsonFilelist } = await import("./json_filelist.ts");
    return parseJsonFilelist(content, file, base);
  }
  const lines = content.split(/\r?\n/)
    .map((path, index) => ({ path, place: `${file}:${index + 1}` }))
    .filter(({ path }) => !/^\s*(?:#|$)/.test(path));
  return namedShares(lines, base, given, Failure);
}

function namedShares(
  paths: readonly { readonly path: string; readonly place: string }[],
  base: string,
  given: GivenNames,
  Mistake: typeof Failure,
): Share[] {
  return paths.map(({ path, place }) => {
    const prefix = place === "" ? "" : `${place}: `;
    const source = resolveLocalPath(path, base, prefix);
    const name = source === "/" ? "" : basename(source);
    const other = given.get(name);
    if (other !== undefined) {
      throw new Mistake(
        `${prefix}${other} and ${path} would both be /${name} on the server; ` +
          `a JSON filelist can give them different places`,
      );
    }
    given.set(name, place === "" ? path : `${path} (${place})`);
    return { path: name, sources: [source], packageCache: false };
  });
}
