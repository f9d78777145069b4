/** What goes into an archive: a walk through the shared tree, so that what it hides stays hidden. */

import type { SharedDirectory, SharedFile } from "../shared.ts";
import type { SharedTree } from "../tree.ts";

/** What of the tree an archive needs. */
export type ArchivedTree = Pick<SharedTree, "lookup" | "list" | "open">;

/** A member of an archive. */
export interface Member {
  /** Its path in the archive, without slashes at its ends: `pkg/foo-1-1-any.pkg.tar.zst`. */
  readonly path: string;
  /** Milliseconds since 1970; null where it is not known. */
  readonly modified: number | null;
  /** Null for a directory. */
  readonly file: SharedFile | null;
}

/** Deeper than any sane directory, and not so deep that links back up take long to end. */
const MAX_DEPTH = 128;

/**
 * Everything in a directory and below it, each directory before what is in it. Links that lead back to
 * a directory on the way are left out.
 *
 * @param name of the directory in the archive.
 */
export async function* walk(
  tree: ArchivedTree,
  directory: SharedDirectory,
  name: string,
  above: ReadonlySet<string> = new Set(),
): AsyncGenerator<Member> {
  const identities = directory.localPaths.map(inodeOf).filter((known) => known !== null);
  if (above.size > MAX_DEPTH || identities.some((identity) => above.has(identity))) return;
  // A directory without a local one counts as well, for the depth.
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

function inodeOf(path: string): string | null {
  try {
    const { dev, ino } = Deno.statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
}
