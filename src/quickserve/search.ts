/** Searches a directory of the shared tree, and the directories below it, for names. */

import { inodeOf } from "../files.ts";
import type { HttpRequest } from "../http/exchange.ts";
import type { Finder } from "../peers/finder.ts";
import { mergeEntries } from "./pages/entries.ts";
import type { Entry, SharedDirectory } from "./shared.ts";
import type { SharedTree } from "./tree.ts";
import { Slices } from "./turns.ts";

/** The limits of a search. */
interface SearchLimits {
  /** At most this many results are returned. */
  readonly results: number;
  /** After this many compared entries, no further directory is read. */
  readonly entries: number;
  /** After this time in milliseconds, no further directory is read. */
  readonly time: number;
  /** At most this many directories are requested from the peers. */
  readonly remoteDirectories: number;
}

/** A search within these limits takes a few seconds on a slow disk. */
const DEFAULT_SEARCH_LIMITS: SearchLimits = {
  results: 1000,
  entries: 200_000,
  time: 2000,
  remoteDirectories: 16,
};

/** Directories at a greater depth are not searched; no sane tree is as deep. */
const MAX_DEPTH = 128;

/** The clock is checked after this many entries of a directory. */
const ENTRIES_PER_LOOK = 1000;

/** The result of a search. */
export interface SearchResult {
  /** The `name` of an entry is its path below the directory: `sub/name.txt`. */
  readonly entries: readonly Entry[];
  /** The limit that ended the search early; null when everything was searched. */
  readonly endedBy: keyof SearchLimits | null;
}

/** Lists the peers' entries in a directory; null when listings do not include the peers' files. */
type RemoteLister = Pick<Finder, "list"> | null;

/** Splits the text of a search into its words. A name matches if it contains all of them, in any case. */
export function searchWords(text: string): string[] {
  return foldName(text).split(/\s+/).filter((word) => word !== "");
}

/** True when all words are in a name. */
function hasWords(name: string, words: readonly string[]): boolean {
  const folded = foldName(name);
  return words.every((word) => folded.includes(word));
}

/** Normalizes a name, so that neither its case nor the encoding of its accents matters. */
function foldName(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

/**
 * Finds names that contain all the words, in a directory and below it, the nearest first. Files and
 * directories that the tree hides are not found, nor anything below them. A directory to which several
 * links lead is searched once.
 */
export async function searchTree(
  tree: Pick<SharedTree, "lookup" | "list">,
  remote: RemoteLister,
  segments: readonly string[],
  words: readonly string[],
  request: Pick<HttpRequest, "connection" | "signal">,
  limits: SearchLimits = DEFAULT_SEARCH_LIMITS,
): Promise<SearchResult> {
  const started = performance.now();
  const found: Entry[] = [];
  const seen = new Set<string>();
  const queue: (readonly string[])[] = [segments];
  let looked = 0;
  let asked = 0;
  let askedAll = true;
  // A hostile peer could list so many names that comparing them would block the server.
  const slices = new Slices();
  // Use an index: the cost of `shift` grows with the length of the queue.
  for (let next = 0; next < queue.length; next++) {
    const here = queue[next] ?? [];
    await slices.next();
    if (request.signal.aborted || performance.now() - started > limits.time) {
      return { entries: found, endedBy: "time" };
    }
    if (looked >= limits.entries) return { entries: found, endedBy: "entries" };
    const directory = tree.lookup(here);
    const isLocal = directory?.kind === "directory" && isNew(directory, seen);
    const asks = remote !== null && asked++ < limits.remoteDirectories;
    if (remote !== null && !asks) askedAll = false;
    const [own, theirs] = await Promise.all([
      isLocal ? tree.list(directory) : [],
      asks ? remote.list(here, request) : [],
    ]);
    const path = here.slice(segments.length).map((name) => name + "/").join("");
    for (const entry of theirs.length === 0 ? own : mergeEntries(own, theirs)) {
      if (++looked % ENTRIES_PER_LOOK === 0) await slices.next();
      if (hasWords(entry.name, words)) {
        if (found.length >= limits.results) return { entries: found, endedBy: "results" };
        found.push({ ...entry, name: path + entry.name });
      }
      if (entry.kind === "directory" && here.length - segments.length < MAX_DEPTH) {
        queue.push([...here, entry.name]);
      }
    }
  }
  return { entries: found, endedBy: askedAll ? null : "remoteDirectories" };
}

/** True when a directory has a local directory that was not searched yet; adds all of them to `seen`. */
function isNew({ localPaths }: SharedDirectory, seen: Set<string>): boolean {
  const before = seen.size;
  for (const path of localPaths) {
    // If the directory was removed, its listing is empty.
    const inode = inodeOf(path);
    if (inode !== null) seen.add(inode);
  }
  return localPaths.length === 0 || seen.size > before;
}
