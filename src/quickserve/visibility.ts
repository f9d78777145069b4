/** Decides which files of a share are shown: hidden names, pacman's unfinished downloads, and filters. */

import type { Source } from "./nodes.ts";
import { isUploadTemporary } from "./uploads/temporary.ts";

/** Returns true when the filters show a server path (`/dir/name`), false when they hide it. */
export type PathFilter = (serverPath: string) => boolean;

/** True when a name can be the name of a file in a directory. */
export function isFileName(name: string): boolean {
  if (name.length > 255 || name === "") return false;
  if (name.charCodeAt(0) === 0x2e && (name === "." || name === "..")) return false;
  return !name.includes("/") && !name.includes("\0");
}

/** True for names with a leading dot, which are hidden unless `--show-hidden` is given. */
function isHiddenName(name: string): boolean {
  return name.charCodeAt(0) === 0x2e;
}

/** True for files that pacman leaves in its cache while it downloads: `*.part`, `download-*` directories. */
function isUnfinishedDownload(name: string, isDirectory: boolean): boolean {
  return name.endsWith(".part") || (isDirectory && name.startsWith("download-"));
}

/** Decides from their names which files of the sources are shown. */
export class Visibility {
  readonly #filter: PathFilter | null;
  readonly #showHidden: boolean;

  /** @param filter null if there are no filters. */
  constructor(filter: PathFilter | null, showHidden: boolean) {
    this.#filter = filter;
    this.#showHidden = showHidden;
  }

  /** True when a source leaves out a name, regardless of the filters. */
  isLeftOut({ packageCache }: Source, name: string, isDirectory: boolean): boolean {
    if (isHiddenName(name) && (!this.#showHidden || isUploadTemporary(name))) return true;
    return packageCache && isUnfinishedDownload(name, isDirectory);
  }

  /**
   * True when the filters show a path of the tree and every directory on the way to it.
   *
   * Everything in an excluded directory is excluded. The root has no path and is always shown.
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

  /** True when a file or directory of a source is shown. @param names its path below the source's own. */
  shows(source: Source, names: readonly string[], isDirectory: boolean): boolean {
    const last = names.length - 1;
    for (const [depth, name] of names.entries()) {
      if (this.isLeftOut(source, name, isDirectory || depth < last)) return false;
    }
    return this.passesFilters([...source.node.segments, ...names]);
  }
}
