/** What this server has itself, in the form in which peers ask for it. */

import { PACKAGES } from "../pacserve/address.ts";
import { encodePath } from "../http/target.ts";
import { isBroken, type KnownFiles } from "../pacserve/own_copy.ts";
import type { OwnFiles, PackageNames } from "../peers/own_server.ts";
import type { Holder } from "../pacserve/relay/holder.ts";
import type { Listing, ListingEntry } from "../peers/protocol.ts";
import type { Entry } from "../quickserve/shared.ts";
import type { SharedTree } from "../quickserve/tree.ts";

/** A file without its right size that was written to in the last so many milliseconds may get it. */
const GROWING = 10_000;

/** Answers the questions of peers from the shared tree. */
export class SharedFiles implements OwnFiles {
  readonly #tree: SharedTree;
  readonly #expected: KnownFiles;
  readonly #holder: Pick<Holder, "has">;

  /** @param holder has packages that are not in the tree yet. */
  constructor(tree: SharedTree, expected: KnownFiles, holder: Pick<Holder, "has">) {
    this.#tree = tree;
    this.#expected = expected;
    this.#holder = holder;
  }

  /** Whether this server has a file at this place of its tree, and it can be what it is meant to be. */
  has(segments: readonly string[]): boolean {
    const found = this.#tree.lookup(segments);
    const [directory, name = "", ...more] = segments;
    if (found === null) {
      return directory === PACKAGES && more.length === 0 && this.#holder.has(name);
    }
    return found.kind === "file" && !this.#isBrokenPackage(segments, found.size);
  }

  /** A directory in the form in which peers ask for it; null when there is none. */
  async listing(segments: readonly string[]): Promise<Listing | null> {
    const found = this.#tree.lookup(segments);
    if (found?.kind !== "directory") return null;
    const entries = await this.#tree.list(found);
    return new Map(entries.map((entry) => [entry.name, [wireEntry(segments, entry)]]));
  }

  /** The names of the files in the directory of packages, for the index. */
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
