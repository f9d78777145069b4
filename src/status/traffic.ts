/** Amounts of files and bytes, by where they came from and who got them. Plain data. */

import type { FileSource } from "../http/exchange.ts";

/** Where the bytes of a file came from, from near to far. */
export const FILE_SOURCES: readonly FileSource[] = ["cache", "peer", "inFlight", "mirror"];

/** How much. */
export interface Amount {
  readonly files: number;
  readonly bytes: number;
}

/** How much from each source. */
export type Traffic = Readonly<Record<FileSource, Amount>>;

/** `received`: by this host's own pacman; `served`: to others. */
export const DIRECTIONS = ["received", "served"] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** How much in each direction. */
export type Flows = Readonly<Record<Direction, Traffic>>;

/** The same, to be added to. */
export type MutableFlows = Record<Direction, Record<FileSource, { files: number; bytes: number }>>;

/** Nothing yet. */
export function noFlows(): MutableFlows {
  const none = (): MutableFlows["received"] => ({
    cache: { files: 0, bytes: 0 },
    peer: { files: 0, bytes: 0 },
    inFlight: { files: 0, bytes: 0 },
    mirror: { files: 0, bytes: 0 },
  });
  return { received: none(), served: none() };
}

/** Adds to flows. */
export function addFlows(sum: MutableFlows, more: Flows): void {
  for (const direction of DIRECTIONS) {
    for (const source of FILE_SOURCES) {
      sum[direction][source].files += more[direction][source].files;
      sum[direction][source].bytes += more[direction][source].bytes;
    }
  }
}

/** All sources together, or some of them. */
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

/** What did not have to come from a mirror. */
export function savedOf({ received }: Flows): Amount {
  return amountOf(received, ["cache", "peer", "inFlight"]);
}

/**
 * Flows from data of unknown origin, such as a file.
 *
 * @returns null when it has not the form of flows.
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

/** A field of an object; undefined where there is none. */
export function field(data: unknown, name: string): unknown {
  const isThere = typeof data === "object" && data !== null && Object.hasOwn(data, name);
  return isThere ? Reflect.get(data, name) : undefined;
}

/** True for a number of things. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
