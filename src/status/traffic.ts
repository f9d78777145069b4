/** Amounts of files and bytes, by source and direction. Plain data. */

import type { FileSource } from "../http/exchange.ts";
import { field, isCount } from "../json.ts";

/** The sources of files, from near to far. */
export const FILE_SOURCES: readonly FileSource[] = ["cache", "peer", "inFlight", "mirror"];

/** A number of files and bytes. */
export interface Amount {
  readonly files: number;
  readonly bytes: number;
}

/** The amount from each source. */
type Traffic = Readonly<Record<FileSource, Amount>>;

/** `received`: by pacman on this host; `served`: to other machines. */
export const DIRECTIONS = ["received", "served"] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** The traffic in each direction. */
export type Flows = Readonly<Record<Direction, Traffic>>;

/** The same, mutable. */
export type MutableFlows = Record<Direction, Record<FileSource, { files: number; bytes: number }>>;

/** Returns flows that are all zero. */
export function noFlows(): MutableFlows {
  const none = (): MutableFlows["received"] => ({
    cache: { files: 0, bytes: 0 },
    peer: { files: 0, bytes: 0 },
    inFlight: { files: 0, bytes: 0 },
    mirror: { files: 0, bytes: 0 },
  });
  return { received: none(), served: none() };
}

/** Adds `more` to `sum`. */
export function addFlows(sum: MutableFlows, more: Flows): void {
  for (const direction of DIRECTIONS) {
    for (const source of FILE_SOURCES) {
      sum[direction][source].files += more[direction][source].files;
      sum[direction][source].bytes += more[direction][source].bytes;
    }
  }
}

/** Returns the sum of all sources, or of some of them. */
export function amountOf(
  traffic: Traffic,
  sources: readonly FileSource[] = FILE_SOURCES,
): Amount {
  let [files, bytes] = [0, 0];
  for (const source of sources) {
    files += traffic[source].files;
    bytes += traffic[source].bytes;
  }
  return { files, bytes };
}

/** Returns the received amount that did not come from a mirror. */
export function savedOf({ received }: Flows): Amount {
  return amountOf(received, ["cache", "peer", "inFlight"]);
}

/**
 * Parses flows from untrusted data, such as a file.
 *
 * @returns null when the data is not valid.
 */
export function parseFlows(data: unknown): MutableFlows | null {
  const flows = noFlows();
  for (const direction of DIRECTIONS) {
    for (const source of FILE_SOURCES) {
      const amount = field(field(data, direction), source);
      const [files, bytes] = [field(amount, "files"), field(amount, "bytes")];
      if (!isCount(files) || !isCount(bytes)) return null;
      flows[direction][source] = { files, bytes };
    }
  }
  return flows;
}
