/** Searches a directory of the shared tree, and what is below it, for names. */

import type { HttpRequest } from "../http/exchange.ts";
import type { Finder } from "../peers/finder.ts";
import { mergeEntries } from "./pages/entries.ts";
import type { Entry, SharedDirectory } from "./shared.ts";
import type { SharedTree } from "./tree.ts";
import { giveWay } from "./turns.ts";

/** What a search may cost. */
export interface SearchLimits {
  /** Entries that are found at the most. */
  readonly results: number;
  /** Entries that are looked at, after which no other directory is begun. */
  readonly entries: number;
  /** Milliseconds, after which no other directory is begun. */
  readonly time: number;
  /** Directories that the peers are asked for. */
  readonly remoteDirectories: number;
}

/** So much is found, read and answered in a few seconds on a slow disk. */
const DEFAULT_SEARCH_LIMITS: SearchLimits = {
  results: 1000,
  entries: 200_000,
  time: 2000,
  remoteDirectories: 16,
};

/** Deeper than any sane directory. */
const MAX_DEPTH = 128;

/** Milliseconds of work, after which the event loop does other work. */
const TURN = 20;

/** After so many entries of a directory the clock is looked at. */
const ENTRIES_PER_LOOK = 1000;

/** What was found. */
export interface SearchResult {
  /** The `name` of each is its path below the directory: `sub/name.txt`. */
  readonly entries: readonly Entry[];
  /** Null: everything was looked at. Else what ended the search early. */
  readonly endedBy: keyof SearchLimits | null;
}

/** What the peers have in a directory; null where their files are not listed. */
type RemoteLister = Pick<Finder, "list"> | null;

/** The words of a search, each of which has to be in a name, whatever its case. */
export function searchWords(text: string): string[] {
  return foldName(text).split(/\s+/).filter((word) => word !== "");
}

/** True when all words are in a name. */
export function hasWords(name: string, words: readonly string[]): boolean {
  const folded = foldName(name);
  return words.every((word) => folded.includes(word));
}

/** Upper and lower case are the same, and so are the ways to write an accent. */
function foldName(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

/**
 * Looks for names with all the words, in a directory and below it, the nearest first. What the tree
 * hides is not found, nor is anything below it. A directory to which several links lead is looked at once.
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
  let turned = started;
  // The names that a hostile peer lists would else block the server: looking for them needs no waiting.
  const takeTurns = async (): Promise<void> => {
    if (performance.now() - turned < TURN) return;
    await giveWay();
    turned = performance.now();
  };
  // Taken by its index: `shift` would cost more the longer the queue is.
  for (let next = 0; next < queue.length; next++) {
    const here = queue[next] ?? [];
    await takeTurns();
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
      if (++looked % ENTRIES_PER_LOOK === 0) await takeTurns();
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

/** True where one of a directory's local ones was not looked at; notes them. */
function isNew({ localPaths }: SharedDirectory, seen: Set<string>): boolean {
  const before = seen.size;
  for (const path of localPaths) {
    try {
      const { dev, ino } = Deno.statSync(path);
      seen.add(`${dev}:${ino}`);
    } catch {
      // It is gone: the listing says so too.
    }
  }
  return localPaths.length === 0 || seen.size > before;
}
