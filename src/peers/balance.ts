/** Which of several peers that have a file goes first. */

/** Round trips below this are alike: on a wire, what a peer has to do weighs more. Milliseconds. */
const SHORT_ROUND_TRIP = 1;

/** Of the transfers that a peer spoke of, half are taken to have ended after so many milliseconds. */
const HALF_LIFE = 10_000;

/** What is known of a peer that matters here. */
export interface Load {
  /** Files that it was sending at `transfersAt`. */
  readonly transfers: number;
  /** Milliseconds on the registry's clock. */
  readonly transfersAt: number;
  /** Milliseconds, smoothed; null before the first answer. */
  readonly roundTrip: number | null;
}

/**
 * The transfers that a peer is taken to have under way: what it said long ago counts for less, or one
 * that was busy once and is not asked since would be taken for busy for ever.
 *
 * @param now on the clock of `transfersAt`.
 */
export function transfersOf({ transfers, transfersAt }: Load, now: number): number {
  return transfers * 2 ** (-Math.max(0, now - transfersAt) / HALF_LIFE);
}

/** What it costs to be sent a file by this peer: its round trip, once for each transfer and for ours. */
function costOf(peer: Load, now: number): number {
  const roundTrip = Math.max(peer.roundTrip ?? SHORT_ROUND_TRIP, SHORT_ROUND_TRIP);
  return (transfersOf(peer, now) + 1) * roundTrip;
}

/**
 * Puts peers in the order in which they are tried.
 *
 * Each place goes to the cheaper of two drawn by chance. What is known of the others' work is always a
 * little old: without chance, ten machines that update at once would all choose the same peer.
 *
 * @param random at least 0, less than 1.
 */
export function ranked<P extends Load>(
  peers: readonly P[],
  now: number,
  random: () => number,
): P[] {
  const left = [...peers];
  const order: P[] = [];
  while (left.length > 0) {
    const one = Math.floor(random() * left.length);
    const other = Math.floor(random() * left.length);
    const chosen = cheaper(left, one, other, now);
    order.push(...left.splice(chosen, 1));
  }
  return order;
}

function cheaper(
  peers: readonly Load[],
  one: number,
  other: number,
  now: number,
): number {
  const a = peers[one];
  const b = peers[other];
  return a !== undefined && b !== undefined && costOf(b, now) < costOf(a, now) ? other : one;
}
