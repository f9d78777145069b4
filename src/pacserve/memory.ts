/** What is remembered from request to request, and survives another configuration. */

import { Mirrors, type MirrorsOptions } from "./mirrors.ts";
import { Repeats } from "./repeats.ts";
import { newInstanceName } from "./via.ts";

/** What the choice remembers: small, bounded, and of no use after an hour. */
export interface PacserveMemory {
  /** What the mirrors said, and which of them are dead. */
  readonly mirrors: Mirrors;
  /** What this host's pacman was sent to a peer for. */
  readonly repeats: Repeats;
  /** Our name in `Via`. */
  readonly instance: string;
}

/**
 * An empty memory.
 *
 * @param now the time in milliseconds.
 */
export function createPacserveMemory(
  log: MirrorsOptions["log"],
  now: () => number = () => performance.now(),
): PacserveMemory {
  return {
    mirrors: new Mirrors({ log, now }),
    repeats: new Repeats(now),
    instance: newInstanceName(),
  };
}
