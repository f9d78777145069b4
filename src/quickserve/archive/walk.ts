/** Walks the shared tree for an archive. Therefore the archive has no file that the tree hides. */

import { inodeOf } from "../../files.ts";
import type { SharedDirectory, SharedFile } from "../shared.ts";
import type { SharedTree } from "../tree.ts";

/** The part of the tree's interface that an archive uses. */
export type ArchivedTree = Pick<SharedTree, "lookup" | "list" | "open">;

/** A member of an archive. */
export interface Member {
  /** Its path in the archive, without slashes at its ends: `pkg/foo-1-1-any.pkg.tar.zst`. */
  readonly path: string;
  /** Milliseconds since 1970; null if unknown. */
  readonly modified: number | null;
  /** Null for a directory. */
  readonly file: SharedFile | null;
}

/** The greatest depth: more than any sane tree has, and low enough to end link loops soon. */
const MAX_DEPTH = 128;

/**
 * Yields everything in a directory and below it, each directory before its content. Links that lead back
 * to one of the parent directories are left out.
 *
 * @param name the name of the directory in the archive.
 */
export async function* walk(
  tree: ArchivedTree,
  directory: SharedDirectory,
  name: string,
  above: ReadonlySet<string> = new Set(),
): AsyncGenerator<Member> {
  const identities = directory.localPaths.map(inodeOf).filter((known) => known !== null);
  if (above.size > MAX_DEPTH || identities.some((identity) => above.has(identity))) return;
  // Add the path too: a directory that only leads to shares has no inode, but counts for the depth.
  const way = new Set([...above, ...identities, `/${directory.segments.join("/")}`]);
  yield { path: name, modified: directory.modified, file: null };
  for (const entry of await tree.list(directory)) {
    const found = tree.lookup([...directory.segments, entry.name]);
    if (found === null) continue;
    const path = `${name}/${entry.name}`;
    if (found.kind === "file") yield { path, modified: found.modified, file: found };
    else yield* walk(tree, found, path, way);
  }
}
