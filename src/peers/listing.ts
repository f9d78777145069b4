/** Lists a directory on all peers, for `--list-remote`. */

import { encodePath } from "../http/target.ts";
import type { Listing, ListingEntry } from "./protocol.ts";
import type { Questions } from "./questions.ts";
import type { Peer } from "./registry.ts";

/** An entry of a directory on a peer. Its `href` is a URL, which ends with a slash for a directory. */
export interface RemoteEntry extends ListingEntry {
  readonly name: string;
  /** URL of the peer. */
  readonly peer: string;
}

/** The greatest total size in bytes of the answers of all peers. */
const MAX_BYTES = 64 << 20;

/** The greatest number of entries from peers on one page. */
const MAX_ENTRIES = 100_000;

/**
 * Asks all peers for a directory at the same time, and returns the entries that arrive within `timeout`
 * milliseconds. A peer that fails or is late is treated as if it did not have the directory.
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
      // Return a copy, because late answers are still added to the original.
      resolve([...entries]);
    };
    const timer = setTimeout(finish, timeout);
    if (awaited.size === 0) finish();
    // Send no slash at the end: it makes a server of the original crash.
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
 * Yields the entries of one peer. The URL is made from the name and not from `href`, so that a peer cannot
 * send clients to other servers.
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
