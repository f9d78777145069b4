/** What the peers have in a directory, for `--list-remote`. */

import { encodePath } from "../http/target.ts";
import type { Listing } from "./protocol.ts";
import type { Peer } from "./registry.ts";

/** An entry of a directory on a peer. */
export interface RemoteEntry {
  readonly name: string;
  /** Where the entry is, on the peer; with a slash at the end for a directory. */
  readonly url: string;
  /** Address of the peer. */
  readonly peer: string;
  /** Bytes; null for a directory or if the peer does not say. */
  readonly size: number | null;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly directory: boolean;
}

/** The most entries that a page gets from peers. */
const MOST_ENTRIES = 100_000;

/**
 * Asks all the peers for a directory at the same time, and takes what has come after `timeout`
 * milliseconds. A peer that fails or is late is as if it had no such directory.
 */
export function listRemote(
  peers: readonly Peer[],
  segments: readonly string[],
  ask: (peer: Peer) => Promise<Listing | null>,
  timeout: number,
): Promise<RemoteEntry[]> {
  return new Promise((resolve) => {
    const entries: RemoteEntry[] = [];
    const awaited = new Set(peers.filter((peer) => peer.state !== "set aside"));
    const finish = (): void => {
      clearTimeout(timer);
      // A copy: those who are late still add to theirs.
      resolve([...entries]);
    };
    const timer = setTimeout(finish, timeout);
    if (awaited.size === 0) finish();
    for (const peer of peers) {
      ask(peer).catch(() => null).then((listing) => {
        for (const entry of listing === null ? [] : entriesOf(peer, segments, listing)) {
          if (entries.length === MOST_ENTRIES) break;
          entries.push(entry);
        }
        awaited.delete(peer);
        if (awaited.size === 0) finish();
      });
    }
  });
}

/**
 * The entries of one peer. The address is made from the name: a peer cannot send anybody elsewhere by
 * what it writes in `href`.
 */
function* entriesOf(
  peer: Peer,
  segments: readonly string[],
  listing: Listing,
): Iterable<RemoteEntry> {
  for (const [name, [entry]] of listing) {
    if (entry === undefined) continue;
    yield {
      name,
      url: peer.base.slice(0, -1) + encodePath([...segments, name]) + (entry.dir ? "/" : ""),
      peer: peer.base,
      size: entry.size,
      mtime: entry.mtime,
      directory: entry.dir,
    };
  }
}
