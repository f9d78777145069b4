/** Tells peers which files this server has. */

import { PACKAGES } from "../pacserve/address.ts";
import { encodePath } from "../http/target.ts";
import { isBroken, type KnownFiles } from "../pacserve/own_copy.ts";
import type { Holder } from "../pacserve/relay/holder.ts";
import type { OwnFiles, PackageNames } from "../peers/own_server.ts";
import type { Listing, ListingEntry } from "../peers/protocol.ts";
import type { Entry } from "../quickserve/shared.ts";
import type { SharedTree } from "../quickserve/tree.ts";

/**
 * In milliseconds. A package of the wrong size that was modified more recently than this is taken to be
 * still growing.
 */
const GROWING = 10_000;

/** Answers the questions of peers from the shared tree. */
export class SharedFiles implements OwnFiles {
  readonly #tree: SharedTree;
  readonly #expected: KnownFiles;
  readonly #holder: Pick<Holder, "has">;

  /** @param holder of packages that are not in the tree yet. */
  constructor(tree: SharedTree, expected: KnownFiles, holder: Pick<Holder, "has">) {
    this.#tree = tree;
    this.#expected = expected;
    this.#holder = holder;
  }

  /** True when this server has a file at this path of its tree, and it is not a package of wrong size. */
  has(segments: readonly string[]): boolean {
    const found = this.#tree.lookup(segments);
    const [directory, name = "", ...more] = segments;
    if (found === null) {
      return directory === PACKAGES && more.length === 0 && this.#holder.has(name);
    }
    return found.kind === "file" && !this.#isBrokenPackage(segments, found.size);
  }

  /** The listing of a directory, for peers; null when there is no such directory. */
  async listing(segments: readonly string[]): Promise<Listing | null> {
    const found = this.#tree.lookup(segments);
    if (found?.kind !== "directory") return null;
    const entries = await this.#tree.list(found);
    return new Map(entries.map((entry) => [entry.name, [wireEntry(segments, entry)]]));
  }

  /** The names of the files in the package directory, for the index. */
  async packageNames(): Promise<PackageNames> {
    const found = this.#tree.lookup([PACKAGES]);
    if (found?.kind !== "directory") return { names: [], isGrowing: false };
    const files = (await this.#tree.list(found)).filter(({ kind }) => kind === "file");
    const broken = new Set(
      files.filter(({ name, size }) => this.#isBrokenPackage([PACKAGES, name], size ?? 0)),
    );
    const isNew = ({ modified }: Entry): boolean => Date.now() - (modified ?? 0) < GROWING;
    return {
      names: files.filter((file) => !broken.has(file)).map(({ name }) => name),
      isGrowing: [...broken].some(isNew),
    };
  }

  #isBrokenPackage([directory, name = ""]: readonly string[], size: number): boolean {
    return directory === PACKAGES && isBroken(this.#expected, name, size);
  }
}

function wireEntry(directory: readonly string[], entry: Entry): ListingEntry {
  const dir = entry.kind === "directory";
  const href = encodePath([...directory, entry.name]) + (dir ? "/" : "");
  return { href, size: entry.size, mtime: (entry.modified ?? 0) / 1000, dir };
}
