/** What of a share is shown: hidden names, pacman's unfinished downloads, and filters. */

import type { Source } from "./nodes.ts";
import { isUploadTemporary } from "./uploads/temporary.ts";

/** The last rule that matches a server path (`/dir/name`): true shows, false hides it. */
export type PathFilter = (serverPath: string) => boolean;

/** Names that can be no name of a file in a directory. */
export function isFileName(name: string): boolean {
  if (name.length > 255 || name === "") return false;
  if (name.charCodeAt(0) === 0x2e && (name === "." || name === "..")) return false;
  return !name.includes("/") && !name.includes("\0");
}

/** True for the names that are hidden unless the user asks for them: those with a leading dot. */
function isHiddenName(name: string): boolean {
  return name.charCodeAt(0) === 0x2e;
}

/** What pacman leaves in its cache while it downloads: `*.part`, and `download-*` directories. */
function isUnfinishedDownload(name: string, isDirectory: boolean): boolean {
  return name.endsWith(".part") || (isDirectory && name.startsWith("download-"));
}

/** Decides by their names which files of the sources are shown. */
export class Visibility {
  readonly #filter: PathFilter | null;
  readonly #showHidden: boolean;

  /** @param filter null: there are no filters. */
  constructor(filter: PathFilter | null, showHidden: boolean) {
    this.#filter = filter;
    this.#showHidden = showHidden;
  }

  /** True for a name that a source leaves out, whatever the filters say. */
  isLeftOut({ packageCache }: Source, name: string, isDirectory: boolean): boolean {
    if (isHiddenName(name) && (!this.#showHidden || isUploadTemporary(name))) return true;
    return packageCache && isUnfinishedDownload(name, isDirectory);
  }

  /**
   * True when the filters show a path of the tree: the path and every directory on the way to it.
   *
   * What is in an excluded directory is excluded. The root has no path and is always shown.
   */
  passesFilters(segments: readonly string[]): boolean {
    if (this.#filter === null) return true;
    let path = "";
    for (const segment of segments) {
      path += "/" + segment;
      if (!this.#filter(path)) return false;
    }
    return true;
  }

  /** True when a file or directory of a source is shown. `names`: its path below the source's own. */
  shows(source: Source, names: readonly string[], isDirectory: boolean): boolean {
    const last = names.length - 1;
    for (const [depth, name] of names.entries()) {
      if (this.isLeftOut(source, name, isDirectory || depth < last)) return false;
    }
    return this.passesFilters([...source.node.segments, ...names]);
  }
}
