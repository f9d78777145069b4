/** What the peers have in a directory, for `--list-remote`. */

import { encodePath } from "../http/target.ts";
import type { Listing, ListingEntry } from "./protocol.ts";
import type { Questions } from "./questions.ts";
import type { Peer } from "./registry.ts";

/** An entry of a directory on a peer: its `href` is a URL, with a slash at the end for a directory. */
export interface RemoteEntry extends ListingEntry {
  readonly name: string;
  /** URL of the peer. */
  readonly peer: string;
}

/** Bytes that the answers of all peers may take together. */
const MAX_BYTES = 64 << 20;

/** The most entries that a page gets from peers. */
const MAX_ENTRIES = 100_000;

/**
 * Asks all the peers for a directory at the same time, and takes what has come after `timeout`
 * milliseconds. A peer that fails or is late is as if it had no such directory.
 */
export function listRemote(
  peers: readonly Peer[],
  segments: readonly string[],
  questions: Pick<Questions, "list">,
  timeout: number,
): Promise<RemoteEntry[]> {
  return new Promise((resolve) => {
    const entries: RemoteEntry[] = [];
    const awaited = new Set(peers.filter((peer) => peer.state !== "backoff"));
    const finish = (): void => {
      clearTimeout(timer);
      // A copy: late answers are still added to the original.
      resolve([...entries]);
    };
    const timer = setTimeout(finish, timeout);
    if (awaited.size === 0) finish();
    // Without a slash at its end, at which an original crashes.
    const path = `/${segments.join("/")}`;
    const allowance = { left: MAX_BYTES };
    for (const peer of peers) {
      questions.list(peer, path, allowance).catch(() => null).then((listing) => {
        for (const entry of listing === null ? [] : entriesOf(peer, segments, listing)) {
          if (entries.length === MAX_ENTRIES) break;
          entries.push(entry);
        }
        awaited.delete(peer);
        if (awaited.size === 0) finish();
      });
    }
  });
}

/**
 * The entries of one peer. The URL is made from the name: a peer cannot send anybody elsewhere by
 * what it writes in `href`.
 */
function* entriesOf(
  peer: Peer,
  segments: readonly string[],
  listing: Listing,
): Iterable<RemoteEntry> {
  for (const [name, [entry]] of listing) {
    if (entry === undefined) continue;
    const href = peer.url.slice(0, -1) + encodePath([...segments, name]) + (entry.dir ? "/" : "");
    yield { ...entry, href, name, peer: peer.url };
  }
}
