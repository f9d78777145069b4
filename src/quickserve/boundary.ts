/**
 * The wall around what is shared: where a path really leads, and whether that is inside of a share.
 *
 * The runtime's read scope looks at the path that is asked for and follows symbolic links out of it.
 * Therefore a path proves nothing until its file is open. The open file is compared with the file at the
 * resolved path, and the resolved path has to be inside of a share. (`/proc/self/fd` would tell where an
 * open file is, but Deno refuses to read it.)
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

/** If a directory's inode did not change for this long (ms), nothing was renamed in it meanwhile. */
const SETTLED_AFTER = 2000;

/** How often a path in a directory that changes has to lead to the same file before it is believed. */
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
   * @returns null when it is not, is not there, is no regular file or may not be read.
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
      // Not there any more: closed below.
    }
    file.close();
    return null;
  }

  /**
   * True when `localPath` leads to what `info` describes and that is inside of a share.
   *
   * @param info of a file that was opened, or a directory that was looked at, under this path.
   * @param started when (ms since 1970) that was, or before.
   */
  contains(localPath: string, info: Deno.FileInfo, started: number): boolean {
    if (this.#followLinks) return true;
    if (this.#byRealPath === null) this.#resolveSources();
    if (this.#leadsInside(localPath, info, started)) return true;
    // A source may have appeared, or be a link that the user has pointed elsewhere.
    return this.#resolveSources() && this.#leadsInside(localPath, info, started);
  }

  /** Resolves the sources again; returns true when a real path is another than before. */
  #resolveSources(): boolean {
    const previous = this.#byRealPath;
    const byRealPath = new Map<string, Source[]>();
    for (const source of this.#sources) {
      const real = realPathOrNull(source.path === "" ? "/" : source.path);
      if (real === null) continue;
      const key = real === "/" ? "" : real;
      const same = byRealPath.get(key);
      if (same === undefined) byRealPath.set(key, [source]);
      else same.push(source);
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
    // A link may spell what it leads to otherwise than its directory lists it.
    if (real !== localPath && spellingOf(real, namesBelow(top, real)) === "other") return false;
    return isSettled(top, real, info, started) || leadsThereAgain(localPath, real, info);
  }

  /** The real path of the source that a real path is inside of and shown in; null if there is none. */
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

/** The names on the way from a directory (the root directory is the empty string) to a path in it. */
function namesBelow(top: string, path: string): string[] {
  return path.slice(top.length).split("/").filter((name) => name !== "");
}

/**
 * True when `real` names the file of `info` and nothing between it and `top` was renamed, made or
 * removed since before it was opened.
 *
 * Swapping a directory for a link changes the directory that it is in, and the kernel notes that in
 * the inode's change time, which no program can set. The directories are read from the bottom to the
 * top. Each one's time shows that the names in it did not change while those below were looked at.
 * Therefore the answer does not depend on luck, however fast an attacker swaps.
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
 * True when the path leads to the same file again and again. Used in a directory in which files were
 * made or removed a moment ago. An attacker who swaps directories for links would have to hit the right
 * moment with each of the repetitions, twice.
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
 * What is known of a file that a link may have led to out of the runtime's read scope: there the
 * runtime opens it but refuses its `fstat`. Null when another file took its place meanwhile.
 */
function steadyInfo(localPath: string, before: Deno.FileInfo): Deno.FileInfo | null {
  const info = Deno.statSync(localPath);
  return isSameInode(info, before) ? info : null;
}

/** True when both describe the same file. */
function isSameInode(a: Deno.FileInfo, b: Deno.FileInfo): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}
