/**
 * The boundary of the shares: resolves a path and checks that the result is inside of a share.
 *
 * The runtime's read scope checks only the path of a request, and follows symbolic links out of the scope.
 * Therefore a path proves nothing until its file is open. The open file is compared with the file at the
 * resolved path, and the resolved path has to be inside of a share. (`/proc/self/fd` has the path of an
 * open file, but Deno refuses to read it.)
 */

import { realPathOrNull } from "../files.ts";
import type { Source } from "./nodes.ts";
import { spellingOf } from "./spelling.ts";
import type { Visibility } from "./visibility.ts";

/** An open file together with its `fstat`. */
export interface OpenedFile {
  readonly file: Deno.FsFile;
  readonly info: Deno.FileInfo;
}

/** If a directory's inode did not change for this time (ms), nothing was renamed in the directory. */
const SETTLED_AFTER = 2000;

/** If a directory changed lately, a path in it has to lead to the same file this many times. */
const REPETITIONS = 16;

/** The real paths of the sources of a tree, and the checks against them. */
export class Boundary {
  readonly #sources: readonly Source[];
  readonly #followLinks: boolean;
  readonly #visibility: Pick<Visibility, "shows">;
  /** Sources by their real path (the root directory's is the empty string). */
  #byRealPath: ReadonlyMap<string, readonly Source[]> | null = null;

  constructor(
    sources: readonly Source[],
    followLinks: boolean,
    visibility: Pick<Visibility, "shows">,
  ) {
    this.#sources = sources;
    this.#followLinks = followLinks;
    this.#visibility = visibility;
  }

  /**
   * Opens a regular file if it is inside of a share.
   *
   * @returns null when it is outside, does not exist, is not a regular file, or may not be read.
   */
  open(localPath: string): OpenedFile | null {
    const started = Date.now();
    let before: Deno.FileInfo;
    let file: Deno.FsFile;
    try {
      before = Deno.statSync(localPath);
      // Opening a FIFO would wait for a writer.
      if (!before.isFile) return null;
      file = Deno.openSync(localPath);
    } catch {
      return null;
    }
    try {
      const info = this.#followLinks ? steadyInfo(localPath, before) : file.statSync();
      if (info?.isFile === true && this.contains(localPath, info, started)) return { file, info };
    } catch {
      // The file was removed meanwhile. It is closed below.
    }
    file.close();
    return null;
  }

  /**
   * True when `localPath` leads to the file or directory that `info` describes, inside of a share.
   *
   * @param info the result of `stat` for the file or directory that was opened or read at this path.
   * @param started a time (ms since 1970) not later than that `stat`.
   */
  contains(localPath: string, info: Deno.FileInfo, started: number): boolean {
    if (this.#followLinks) return true;
    if (this.#byRealPath === null) this.#resolveSources();
    if (this.#leadsInside(localPath, info, started)) return true;
    // A source may have been created, or it is a link and the user has changed its target.
    return this.#resolveSources() && this.#leadsInside(localPath, info, started);
  }

  /** Resolves the sources again; returns true when a real path has changed. */
  #resolveSources(): boolean {
    const previous = this.#byRealPath;
    const byRealPath = new Map<string, Source[]>();
    for (const source of this.#sources) {
      const real = realPathOrNull(source.path === "" ? "/" : source.path);
      if (real === null) continue;
      byRealPath.getOrInsertComputed(real === "/" ? "" : real, () => []).push(source);
    }
    this.#byRealPath = byRealPath;
    if (previous?.size !== byRealPath.size) return true;
    for (const [key, sources] of byRealPath) {
      const before = previous.get(key);
      if (before === undefined || before.length !== sources.length) return true;
      if (sources.some((source, index) => source !== before[index])) return true;
    }
    return false;
  }

  #leadsInside(localPath: string, info: Deno.FileInfo, started: number): boolean {
    const real = realPathOrNull(localPath);
    if (real === null) return false;
    const top = this.#topOf(real, info.isDirectory);
    if (top === null) return false;
    // The target of a link may spell a name differently from the directory's listing.
    if (real !== localPath && spellingOf(real, namesBelow(top, real)) === "other") return false;
    return isSettled(top, real, info, started) || leadsThereAgain(localPath, real, info);
  }

  /** The real path of the source that contains and shows `real`; null if no source does. */
  #topOf(real: string, isDirectory: boolean): string | null {
    let top = real === "/" ? "" : real;
    const names: string[] = [];
    while (true) {
      for (const source of this.#byRealPath?.get(top) ?? []) {
        if (this.#visibility.shows(source, names, isDirectory)) return top;
      }
      if (top === "") return null;
      const slash = top.lastIndexOf("/");
      names.unshift(top.slice(slash + 1));
      top = top.slice(0, slash);
    }
  }
}

/** The names between a directory (the root directory is the empty string) and a path in it. */
function namesBelow(top: string, path: string): string[] {
  return path.slice(top.length).split("/").filter((name) => name !== "");
}

/**
 * True when `real` names the file of `info`, and nothing between `top` and the file has been renamed,
 * created or removed since `started`.
 *
 * Replacing a directory with a link changes the parent directory, and the kernel records that in the
 * parent's change time (ctime), which no program can set. The directories are read from the bottom to the
 * top. The change time of each shows that its names did not change while the directories below it were
 * read. Therefore the result does not depend on timing, however fast an attacker swaps.
 */
function isSettled(top: string, real: string, info: Deno.FileInfo, started: number): boolean {
  let path = real === "/" ? "" : real;
  try {
    if (!isSameInode(Deno.lstatSync(real), info)) return false;
    while (path.length > top.length) {
      path = path.slice(0, path.lastIndexOf("/"));
      const directory = Deno.lstatSync(path === "" ? "/" : path);
      if (!directory.isDirectory) return false;
      if ((directory.ctime?.getTime() ?? Infinity) > started - SETTLED_AFTER) return false;
    }
    return true;
  } catch {
    return false;
  }
}

/**
 * True when the path leads to the same file each time that it is resolved. Used when files were created
 * or removed in a directory a moment ago. An attacker who replaces directories with links would have to
 * hit the right moment twice in each of the repetitions.
 */
function leadsThereAgain(localPath: string, real: string, info: Deno.FileInfo): boolean {
  for (let round = 0; round < REPETITIONS; round++) {
    if (realPathOrNull(localPath) !== real) return false;
    try {
      if (!isSameInode(Deno.lstatSync(real), info)) return false;
    } catch {
      return false;
    }
  }
  return true;
}

/**
 * The `stat` of an open file that may be outside of the runtime's read scope, because a link led there:
 * the runtime opens such a file but refuses its `fstat`. Null when another file has taken its place.
 */
function steadyInfo(localPath: string, before: Deno.FileInfo): Deno.FileInfo | null {
  const info = Deno.statSync(localPath);
  return isSameInode(info, before) ? info : null;
}

/** True when both describe the same file. */
function isSameInode(a: Deno.FileInfo, b: Deno.FileInfo): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}
