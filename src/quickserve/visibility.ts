/** What of a share is shown: hidden names, pacman's unfinished downloads, and filters. */

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

/** The names that a tree leaves out, whatever the filters say. */
export function isLeftOut(
  name: string,
  isDirectory: boolean,
  packageCache: boolean,
  showHidden: boolean,
): boolean {
  if (isHiddenName(name) && (!showHidden || isUploadTemporary(name))) return true;
  return packageCache && isUnfinishedDownload(name, isDirectory);
}

/**
 * True when a filter shows a path of the tree: the path and every directory on the way to it.
 *
 * What lies under an excluded directory is excluded. The root is no path and always shown.
 */
export function isShownBy(filter: PathFilter, segments: readonly string[]): boolean {
  let path = "";
  for (const segment of segments) {
    path += "/" + segment;
    if (!filter(path)) return false;
  }
  return true;
}
