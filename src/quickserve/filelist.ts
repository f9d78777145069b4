/** What to share, as the user names it: paths on the command line, and filelists. */

import { posix } from "node:path";
import { Failure, UsageError } from "../failure.ts";
import type { Share } from "./configuration.ts";
import { resolveLocalPath } from "./local_path.ts";

/**
 * Names in the root that paths on the command line and in plain filelists have taken, each with its path
 * as the user wrote it. No two paths may have the same name.
 */
export type GivenNames = Map<string, string>;

/**
 * Shares for paths on the command line: each under its own name in the root.
 *
 * @param base absolute; relative paths are relative to it.
 * @param given gets their names.
 * @throws {UsageError} that names both when two have the same name.
 */
export function positionalShares(
  paths: readonly string[],
  base: string,
  given: GivenNames = new Map(),
): Share[] {
  return namedShares(paths.map((path) => ({ path, place: "" })), base, given, UsageError);
}

/**
 * Reads a filelist: plain, in which every line is a path as on the command line, or a JSON object
 * from server paths to a file or a list of directories. Relative paths are relative to the list. In a
 * plain one, empty lines and those that begin with `#` mean nothing; a file whose name does is written
 * `./#name`. A list whose own name ends in `.json`, or that begins with a bracket, is JSON.
 *
 * @param file absolute path of the list.
 * @param given gets the names of a plain list; what JSON puts at such a place is merged with it.
 * @throws {Failure} that names file and line (and column, in JSON) of the first mistake.
 */
export async function parseFilelist(
  text: string,
  file: string,
  given: GivenNames = new Map(),
): Promise<Share[]> {
  const content = text.replace(/^\ufeff/, "");
  const base = posix.dirname(file);
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
    const name = posix.basename(source);
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
