/** Decides in which order peers that have a file are tried. */

/** Round trips (ms) below this count as equal: on a wired network the load of a peer matters more. */
const SHORT_ROUND_TRIP = 1;

/** Milliseconds after which half of the transfers that a peer reported are assumed to have ended. */
const HALF_LIFE = 10_000;

/** The properties of a peer that determine its place. */
interface Load {
  /** Number of files that it was sending at `transfersAt`. */
  readonly transfers: number;
  /** Time in milliseconds on the registry's clock. */
  readonly transfersAt: number;
  /** Milliseconds, smoothed; null before the first answer. */
  readonly roundTrip: number | null;
}

/**
 * Returns the estimated number of transfers of a peer. A number that it reported long ago counts less.
 * Otherwise a peer that was busy once, and therefore was never asked again, would count as busy for ever.
 *
 * @param now the time on the clock of `transfersAt`.
 */
export function transfersOf({ transfers, transfersAt }: Load, now: number): number {
  return transfers * 2 ** (-Math.max(0, now - transfersAt) / HALF_LIFE);
}

/**
 * Returns the cost of a file from this peer: its round trip, times the number of its transfers including
 * ours.
 */
function costOf(peer: Load, now: number): number {
  const roundTrip = Math.max(peer.roundTrip ?? SHORT_ROUND_TRIP, SHORT_ROUND_TRIP);
  return (transfersOf(peer, now) + 1) * roundTrip;
}

/**
 * Returns peers in the order in which to try them.
 *
 * Each next one is the cheaper of two that are drawn at random. The known load of peers is always a little
 * out of date: without chance, ten machines that upgrade at once would all choose the same peer.
 *
 * @param random returns at least 0, less than 1.
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
