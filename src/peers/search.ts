/**
 * Finding the peer that has a file.
 *
 * Peers whose index names the file are tried first. Where there is none, those whose index is not
 * known are all asked at the same time. Either way the peer that is chosen must confirm: it must answer
 * for the very address that a client will be sent to.
 */

import type { Peer } from "./registry.ts";

/** After the first yes, how long a better one may take. Milliseconds. */
const GRACE = 3;

/** How long a confirmation may take before the next peer is asked too. Milliseconds. */
const HEDGE = 50;

/** What a search needs. */
export interface SearchParts {
  /** Peers whose fresh index names the file. */
  readonly named: readonly Peer[];
  /** Peers that have no fresh index: they are asked. */
  readonly unknown: readonly Peer[];
  /** Asks a peer whether it has the file. */
  readonly check: (peer: Peer) => Promise<boolean>;
  /** Asks a peer for the very address of the file. */
  readonly confirm: (peer: Peer) => Promise<boolean>;
  /** The order in which peers that have the file are tried. */
  readonly rank: (peers: readonly Peer[]) => readonly Peer[];
}

/**
 * Searches.
 *
 * @param timeout milliseconds that all of it may take.
 * @returns null when nobody has the file, or nobody said so in time.
 */
export async function search(parts: SearchParts, timeout: number): Promise<Peer | null> {
  const end = performance.now() + timeout;
  if (parts.named.length > 0) {
    // Others are not asked yet: if the index is right, there is no need to.
    const found = await race(parts, parts.named, [], timeout);
    if (found !== null) return found;
  }
  const left = end - performance.now();
  if (parts.unknown.length === 0 || left <= 0) return null;
  return await race(parts, [], parts.unknown, left);
}

/** Asks all of `asked`, and confirms with those that say yes, the best first, and with `named`. */
function race(
  parts: SearchParts,
  named: readonly Peer[],
  asked: readonly Peer[],
  timeout: number,
): Promise<Peer | null> {
  return new Promise((resolve) => {
    const yes: Peer[] = [...named];
    // A peer that was set aside is asked, so that it can come back, but nobody waits for it.
    const awaited = new Set(asked.filter((peer) => peer.state !== "set aside"));
    let confirming = 0;
    let grace: ReturnType<typeof setTimeout> | null = null;
    let graceOver = false;
    let hedge: ReturnType<typeof setTimeout> | undefined;
    let over = false;

    const finish = (peer: Peer | null): void => {
      over = true;
      clearTimeout(timer);
      clearTimeout(hedge);
      if (grace !== null) clearTimeout(grace);
      resolve(peer);
    };
    const timer = setTimeout(() => finish(null), timeout);

    const confirmBest = (): void => {
      clearTimeout(hedge);
      const [best] = parts.rank(yes);
      if (over) return;
      if (best === undefined) {
        if (awaited.size === 0 && confirming === 0) finish(null);
        return;
      }
      yes.splice(yes.indexOf(best), 1);
      confirming++;
      hedge = setTimeout(confirmBest, HEDGE);
      parts.confirm(best).catch(() => false).then((confirmed) => {
        confirming--;
        if (over) return;
        if (confirmed) finish(best);
        else confirmBest();
      });
    };

    const answered = (peer: Peer, has: boolean): void => {
      awaited.delete(peer);
      if (over) return;
      if (has) yes.push(peer);
      if (awaited.size === 0) {
        if (confirming === 0) confirmBest();
      } else if (yes.length > 0) {
        if (grace === null) {
          grace = setTimeout(() => {
            graceOver = true;
            confirmBest();
          }, GRACE);
        } else if (graceOver && confirming === 0) {
          confirmBest();
        }
      }
    };

    for (const peer of asked) {
      parts.check(peer).catch(() => false).then((has) => answered(peer, has));
    }
    if (named.length > 0 || awaited.size === 0) confirmBest();
  });
}
