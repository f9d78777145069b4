/** What this server has itself, in the form in which peers ask for it. */

import { PACKAGES } from "../pacserve/address.ts";
import { ownEntry } from "../peers/answer.ts";
import type { Listing, ListingEntry } from "../peers/protocol.ts";
import type { SharedEntry } from "../quickserve/shared.ts";
import type { SharedTree } from "../quickserve/tree.ts";

/** Answers the questions of peers from the shared tree. */
export class OwnFiles {
  /** That of the configuration in force; null before there is one. */
  tree: SharedTree | null = null;

  /** Whether this server has a file at this place of its tree. */
  has(segments: readonly string[]): boolean {
    return this.tree?.lookup(segments)?.kind === "file";
  }

  /** A directory in the form in which peers ask for it; null when there is none. */
  async listing(segments: readonly string[]): Promise<Listing | null> {
    const entries = await this.#entries(segments);
    if (entries === null) return null;
    return new Map(entries.map((entry) => [entry.name, [wireEntry(segments, entry)]]));
  }

  /** The names of the files in the directory of packages, for the index. */
  async packageNames(): Promise<string[]> {
    const entries = await this.#entries([PACKAGES]) ?? [];
    return entries.filter(({ kind }) => kind === "file").map(({ name }) => name);
  }

  async #entries(segments: readonly string[]): Promise<readonly SharedEntry[] | null> {
    const found = this.tree?.lookup(segments);
    return found?.kind === "directory" ? await this.tree?.list(found) ?? null : null;
  }
}

function wireEntry(directory: readonly string[], entry: SharedEntry): ListingEntry {
  const seconds = (entry.modified ?? 0) / 1000;
  return ownEntry([...directory, entry.name], entry.size, seconds, entry.kind === "directory");
}
