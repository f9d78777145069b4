/** What to share, as the user names it: paths on the command line, and filelists. */

import { posix } from "node:path";
import { Failure, UsageError } from "../failure.ts";
import type { Share } from "./configuration.ts";
import { resolveLocalPath } from "./local_path.ts";

/**
 * Shares for paths on the command line: each under its own name in the root.
 *
 * @param base absolute; relative paths are relative to it.
 * @throws {UsageError} that names both when two have the same name.
 */
export function positionalShares(paths: readonly string[], base: string): Share[] {
  return namedShares(paths.map((path) => ({ path, place: "" })), base, UsageError);
}

/**
 * Reads a filelist: plain, in which every line is a path as on the command line, or a JSON object
 * from server paths to a file or a list of directories. Relative paths are relative to the list.
 *
 * @param file absolute path of the list.
 * @throws {Failure} that names file and line (and column, in JSON) of the first mistake.
 */
export async function parseFilelist(text: string, file: string): Promise<Share[]> {
  const content = text.replace(/^\ufeff/, "");
  const base = posix.dirname(file);
  if (/^\s*[{[]/.test(content)) {
    const { parseJsonFilelist } = await import("./json_filelist.ts");
    return parseJsonFilelist(content, file, base);
  }
  const lines = content.split(/\r?\n/)
    .map((path, index) => ({ path, place: `${file}:${index + 1}: ` }))
    .filter(({ path }) => path.trim() !== "");
  return namedShares(lines, base);
}

function namedShares(
  paths: readonly { readonly path: string; readonly place: string }[],
  base: string,
  Mistake: typeof Failure = Failure,
): Share[] {
  const byName = new Map<string, string>();
  return paths.map(({ path, place }) => {
    const source = resolveLocalPath(path, base, place);
    const name = posix.basename(source);
    const other = byName.get(name);
    if (other !== undefined) {
      throw new Mistake(
        `${place}${other} and ${path} would both be /${name} on the server; ` +
          `a JSON filelist can give them different places`,
      );
    }
    byName.set(name, path);
    return { path: name, sources: [source], packageCache: false };
  });
}
