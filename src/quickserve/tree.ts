/** The shared tree: maps a path on the server to a local file, or to merged local directories. */

import type { Log } from "../log.ts";
import { Boundary, type OpenedFile } from "./boundary.ts";
import type { TreeConfiguration } from "./configuration.ts";
import { buildNodes, localPathIn, nodesOnTheWay, type Source, type TreeNode } from "./nodes.ts";
import type { Entry, SharedDirectory, SharedFile } from "./shared.ts";
import { CoalescedRuns, Slices, sortByKey } from "./turns.ts";
import { spellingOf } from "./spelling.ts";
import { isFileName, type PathFilter, Visibility } from "./visibility.ts";

/** A file or directory in one source. */
interface Found {
  readonly source: Source;
  readonly localPath: string;
  readonly info: Deno.FileInfo;
}

/** The result of resolving a path: one file, or the directories that are merged there. */
type Resolved =
  | { readonly kind: "file"; readonly found: Found }
  | {
    readonly kind: "directory";
    readonly directories: readonly Found[];
    /** The node of the skeleton at this path; null if the path is below a share and no share names it. */
    readonly node: TreeNode | null;
  };

/** The facts that show that an inode is the same and still readable. */
type Identity = Pick<Deno.FileInfo, "ino" | "dev" | "mode" | "uid" | "gid">;

/** At most this many files and directories are stored that have passed the checks. */
const REMEMBERED_PATHS = 5_000;

/** At most this many unreadable paths are logged, because a share may have any number. */
const REPORTED_PATHS = 1000;

/** The clock is read after this many entries of a listing, which take half a millisecond. */
const ENTRIES_PER_LOOK = 100;

/**
 * Size in bytes of the largest directory that is read at once. On ext4, this one has about 50,000 entries, and
 * reading it takes a tenth of a second.
 */
const READ_AT_ONCE = 4 << 20;

/**
 * All shares as one tree.
 *
 * Both look-ups and listings leave out files that are hidden, filtered, unreadable, neither regular file
 * nor directory, outside of the shares (through a symbolic link), or requested by another spelling than
 * their directory lists. The tree stores only which files passed these checks. Therefore new and removed
 * files take effect at once, and the cost of a look-up does not depend on the size of the directory.
 *
 * The rule for hidden names does not apply to a share's own path, because the user has named it.
 */
export class SharedTree {
  readonly #root: TreeNode;
  readonly #boundary: Boundary;
  readonly #visibility: Visibility;
  readonly #listings = new CoalescedRuns<readonly Entry[]>();
  readonly #sortedListings = new CoalescedRuns<readonly Entry[]>();
  /** The files and directories that passed the checks, by local path, the oldest first. */
  readonly #accessible: Map<string, Identity> = new Map();
  readonly #log: Pick<Log, "debug"> | null;
  /** Local paths that were logged as unreadable. */
  readonly #reported: Set<string> = new Set();

  /**
   * @param filter the compiled filters of the configuration; null when it has none
   * ({@link SharedTree.create} compiles them).
   * @param log each path that is left out because it cannot be read is logged here once.
   */
  constructor(
    configuration: TreeConfiguration,
    filter: PathFilter | null = null,
    log: Pick<Log, "debug"> | null = null,
  ) {
    if (filter === null && configuration.filters.length > 0) {
      throw new TypeError("the filters of a shared tree have to be compiled first");
    }
    const { root, sources } = buildNodes(configuration.shares);
    this.#root = root;
    this.#visibility = new Visibility(filter, configuration.showHidden);
    this.#log = log;
    this.#boundary = new Boundary(sources, configuration.followLinks, this.#visibility);
  }

  /**
   * Builds a tree. It loads the engine for regular expressions only if there are filters.
   *
   * @throws {Failure} when an expression is invalid.
   */
  static async create(
    configuration: TreeConfiguration,
    log: Pick<Log, "debug"> | null = null,
  ): Promise<SharedTree> {
    if (configuration.filters.length === 0) return new SharedTree(configuration, null, log);
    const { compileFilters } = await import("./filters.ts");
    return new SharedTree(configuration, await compileFilters(configuration.filters), log);
  }

  /** Returns the file or directory at a path; null when there is none, or it is left out. */
  lookup(segments: readonly string[]): SharedFile | SharedDirectory | null {
    const resolved = this.#resolve(segments);
    if (resolved === null) return null;
    if (resolved.kind === "file") {
      const { localPath, info } = resolved.found;
      return toSharedFile({ segments, localPath }, info);
    }
    let modified: number | null = null;
    for (const { info } of resolved.directories) {
      modified = Math.max(modified ?? -Infinity, info.mtime?.getTime() ?? 0);
    }
    return {
      kind: "directory",
      segments,
      localPaths: resolved.directories.map((found) => found.localPath),
      modified,
    };
  }

  /**
   * Lists a directory, merged and sorted by name (by code units, so that the order does not depend on the
   * locale). Empty when the directory was removed. Many simultaneous calls cost no more than two.
   */
  list(directory: SharedDirectory): Promise<readonly Entry[]> {
    return this.#sortedListings.run(directory.segments.join("/"), async () => {
      const entries = await this.listUnsorted(directory);
      return await sortByKey(entries, ({ name }) => name, new Slices());
    });
  }

  /** Does the same as {@link list}, in any order. */
  listUnsorted({ segments }: SharedDirectory): Promise<readonly Entry[]> {
    return this.#listings.run(segments.join("/"), () => this.#list(segments));
  }

  async #list(segments: readonly string[]): Promise<readonly Entry[]> {
    const resolved = this.#resolve(segments);
    if (resolved?.kind !== "directory") return [];
    const slices = new Slices();
    let entries: Entry[] = [];
    for (const name of resolved.node?.children.keys() ?? []) {
      const child = this.lookup([...segments, name]);
      if (child !== null) entries.push(toEntry(name, child));
    }
    for (const found of resolved.directories) {
      const names = new Set(entries.map(({ name }) => name));
      entries = entries.concat(await this.#entriesOf(found, segments, names, slices));
    }
    return entries;
  }

  /**
   * Opens a file that was looked up, and returns it with its `fstat`; null when it was removed meanwhile or
   * now leads out of the shares.
   */
  open(file: SharedFile): OpenedFile | null {
    return this.#boundary.open(file.localPath);
  }

  #resolve(segments: readonly string[]): Resolved | null {
    for (const segment of segments) {
      if (!isFileName(segment)) return null;
    }
    if (!this.#visibility.passesFilters(segments)) return null;
    const nodes = nodesOnTheWay(this.#root, segments);
    const node = nodes.length > segments.length ? nodes.at(-1) ?? null : null;
    const leadsToShares = node !== null && (node.children.size > 0 || node === this.#root);
    const directories: Found[] = [];
    search:
    for (let depth = nodes.length - 1; depth >= 0; depth--) {
      for (const source of nodes[depth]?.sources ?? []) {
        const found = this.#find(source, segments);
        if (found === "shadowed" && nodes.length - 1 === depth) break search;
        if (found === null || found === "shadowed") continue;
        if (found.info.isDirectory) directories.push(found);
        else if (directories.length === 0 && !leadsToShares) return { kind: "file", found };
      }
    }
    if (directories.length === 0 && !leadsToShares) return null;
    return { kind: "directory", directories, node };
  }

  /**
   * Returns the file or directory of a source at a path; null if the source has nothing there.
   *
   * @returns `"shadowed"` when this source has a file at a parent directory of the path: that file hides
   * everything below its name in the sources after this one.
   */
  #find(source: Source, segments: readonly string[]): Found | "shadowed" | null {
    const own = source.node.segments.length;
    for (let depth = own; depth < segments.length; depth++) {
      const onTheWay = depth < segments.length - 1;
      if (this.#visibility.isLeftOut(source, segments[depth] ?? "", onTheWay)) return null;
    }
    const localPath = localPathIn(source, segments);
    let info: Deno.FileInfo;
    try {
      info = Deno.statSync(localPath);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotADirectory) || segments.length <= own) return null;
      const above = this.#find(source, segments.slice(0, -1));
      return above === null ? null : "shadowed";
    }
    if (info.isDirectory) {
      const name = segments.at(-1);
      if (
        name !== undefined && segments.length > own &&
        this.#visibility.isLeftOut(source, name, true)
      ) {
        return null;
      }
    } else if (!info.isFile) return null;
    const names = segments.slice(own);
    return this.#isAccessible(localPath, names, info) ? { source, localPath, info } : null;
  }

  /**
   * True when a file or directory is readable, inside of a share, and spelled as in its directory's listing.
   *
   * @param names the names of the path below the source's own.
   */
  #isAccessible(localPath: string, names: readonly string[], info: Deno.FileInfo): boolean {
    const known = this.#accessible.get(localPath);
    if (known !== undefined) {
      if (isUnchanged(known, info)) return true;
      this.#accessible.delete(localPath);
    }
    if (!this.#boundary.contains(localPath, info, Date.now())) return false;
    if (!this.#isReadable(localPath, info)) return false;
    const spelling = spellingOf(localPath, names);
    // If other spellings exist, do not store it: the old name of a renamed file may be one of them.
    if (spelling !== "sole") return spelling === "listed";
    if (this.#accessible.size >= REMEMBERED_PATHS) {
      for (const oldest of this.#accessible.keys()) {
        this.#accessible.delete(oldest);
        break;
      }
    }
    const { ino, dev, mode, uid, gid } = info;
    this.#accessible.set(localPath, { ino, dev, mode, uid, gid });
    return true;
  }

  /** True when this process may read a file, or list a directory. */
  #isReadable(localPath: string, info: Deno.FileInfo): boolean {
    const everybody = info.isDirectory ? 0o555 : 0o444;
    if (((info.mode ?? 0) & everybody) === everybody) return true;
    try {
      Deno.openSync(localPath).close();
      return true;
    } catch (error) {
      this.#reportUnreadable(localPath, error);
      return false;
    }
  }

  #reportUnreadable(localPath: string, error: unknown): void {
    // If the runtime refuses a link that leads out of its scope, the error is another one.
    if (!(error instanceof Deno.errors.PermissionDenied)) return;
    if (this.#reported.has(localPath) || this.#reported.size >= REPORTED_PATHS) return;
    this.#reported.add(localPath);
    this.#log?.debug(`not shared: ${localPath}: permission denied`);
  }

  /** The entries of a directory that is merged at a path, without those whose names are taken. */
  async #entriesOf(
    directory: Found,
    segments: readonly string[],
    taken: ReadonlySet<string>,
    slices: Slices,
  ): Promise<Entry[]> {
    const started = Date.now();
    const found: Entry[] = [];
    try {
      let count = 0;
      for (const item of await itemsOf(directory)) {
        if (++count % ENTRIES_PER_LOOK === 0) await slices.next();
        if (taken.has(item.name)) continue;
        const entry = this.#entry(directory, segments, item);
        if (entry !== null) found.push(entry);
      }
    } catch {
      // The directory was removed or is unreadable: list the entries of the other sources.
    }
    return this.#boundary.contains(directory.localPath, directory.info, started) ? found : [];
  }

  #entry(directory: Found, segments: readonly string[], item: Deno.DirEntry): Entry | null {
    const { name } = item;
    const { source } = directory;
    if (!isFileName(name) || this.#visibility.isLeftOut(source, name, item.isDirectory)) {
      return null;
    }
    const localPath = (directory.localPath === "/" ? "" : directory.localPath) + "/" + name;
    let info: Deno.FileInfo;
    try {
      info = Deno.lstatSync(localPath);
      if (info.isSymlink) {
        info = Deno.statSync(localPath);
        if (!this.#boundary.contains(localPath, info, Date.now())) return null;
      }
    } catch (error) {
      this.#reportUnreadable(localPath, error);
      return null;
    }
    if (!info.isFile && !info.isDirectory) return null;
    if (info.isDirectory && this.#visibility.isLeftOut(source, name, true)) return null;
    if (!this.#visibility.passesFilters([...segments, name])) return null;
    if (!this.#isReadable(localPath, info)) return null;
    return {
      name,
      kind: info.isDirectory ? "directory" : "file",
      size: info.isDirectory ? null : info.size,
      modified: info.mtime?.getTime() ?? null,
    };
  }
}

/**
 * Returns what a directory contains. Reading it at once takes half of the time, but other requests wait
 * meanwhile. Therefore a very large one is not read at once.
 */
async function itemsOf({ localPath, info }: Found): Promise<Iterable<Deno.DirEntry>> {
  return info.size > READ_AT_ONCE
    ? await Array.fromAsync(Deno.readDir(localPath))
    : Deno.readDirSync(localPath);
}

/** Returns a file of the tree with the facts of its `stat`. */
export function toSharedFile(
  { segments, localPath }: Pick<SharedFile, "segments" | "localPath">,
  info: Deno.FileInfo,
): SharedFile {
  return {
    kind: "file",
    segments,
    localPath,
    size: info.size,
    modified: info.mtime?.getTime() ?? 0,
    changed: info.ctime?.getTime() ?? 0,
    device: info.dev,
    inode: info.ino ?? 0,
  };
}

function toEntry(name: string, found: SharedFile | SharedDirectory): Entry {
  return {
    name,
    kind: found.kind,
    size: found.kind === "file" ? found.size : null,
    modified: found.modified,
  };
}

/** True when a path still leads to the same inode, and neither its mode nor its owner changed. */
function isUnchanged(known: Identity, info: Deno.FileInfo): boolean {
  return known.ino === info.ino && known.dev === info.dev && known.mode === info.mode &&
    known.uid === info.uid && known.gid === info.gid;
}
