/** What is remembered from request to request, and survives another configuration. */

import { Mirrors, type MirrorsOptions } from "./mirrors.ts";
import { Repeats, type RepeatsState } from "./repeats.ts";
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
 * A memory with nothing in it but `repeats`.
 *
 * @param now the time in milliseconds.
 * @param repeats what the worker before this one was asked for.
 * @param changed called when there is more to hand on to the next worker.
 */
export function createPacserveMemory(
  log: MirrorsOptions["log"],
  now: () => number = () => performance.now(),
  repeats: RepeatsState = [],
  changed: () => void = () => {},
): PacserveMemory {
  return {
    mirrors: new Mirrors({ log, now }),
    repeats: new Repeats(now, repeats, changed),
    instance: newInstanceName(),
  };
}
