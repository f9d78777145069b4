/** Stores which peers sent wrong files, failed, or lost a race, so that they are not used for a time. */

import { EventEmitter } from "node:events";
import type { BackoffRange } from "../../backoff.ts";
import { Backoffs } from "../../backoffs.ts";
import { BoundedMap } from "../../bounded_map.ts";
import type { FailureKind } from "./source.ts";
import type { RelayTimes } from "./times.ts";

const DAY = 86_400_000;
/** Number of different wrong files in a row after which a peer is not used for packages. */
const MAX_WRONG = 3;
/** The time (ms) for which such a peer is not used: the first time, and at most. */
const WRONG_PAUSE: BackoffRange = { first: 600_000, max: DAY };
/** Number of failed transfers in a row after which a peer is the last choice. */
const MAX_TROUBLES = 2;
/** The time (ms) for which such a peer is the last choice: the first time, and at most. */
const TROUBLE_PAUSE: BackoffRange = { first: 30_000, max: 600_000 };
const MAX_COPIES = 5_000;
const MAX_PEERS = 500;

/** Plain data for a new worker: keys of wrong copies, and the milliseconds for which each is still stored. */
export interface SourceMemoryState {
  readonly copies: readonly (readonly [string, number])[];
}

/**
 * Stores a limited number of peers by URL, and of wrong copies by peer, file and digest.
 *
 * Emits `changed` when {@link export} returns more than before.
 */
export class SourceMemory extends EventEmitter<{ changed: [] }> {
  /** The keys of wrong copies. */
  readonly #copies: BoundedMap<string, true>;
  /** The wrong files of each peer since its last correct one. */
  readonly #wrong = new BoundedMap<string, Set<string>>(MAX_PEERS);
  readonly #distrust: Backoffs;
  readonly #trouble: Backoffs;
  /** The number of failed transfers of each peer since its last successful one. */
  readonly #troubles = new BoundedMap<string, number>(MAX_PEERS);
  /** The result of the last race of each peer: true when the peer won. */
  readonly #races: BoundedMap<string, boolean>;

  constructor(times: RelayTimes) {
    super();
    const now = (): number => performance.now();
    this.#distrust = new Backoffs(WRONG_PAUSE, MAX_PEERS, now);
    this.#trouble = new Backoffs(TROUBLE_PAUSE, MAX_PEERS, now);
    this.#copies = new BoundedMap(MAX_COPIES, DAY);
    this.#races = new BoundedMap(MAX_PEERS, times.raceRemembered);
  }

  /** True when the peer may be used for this file: neither its copy nor its last files were wrong. */
  mayAsk(peer: string, file: string, digest: string): boolean {
    return !this.#copies.has(copyKey(peer, file, digest)) && !this.#distrust.isPaused(peer);
  }

  /** True when transfers from this peer failed lately: then it is the last choice. */
  isTroubled(peer: string): boolean {
    return this.#trouble.isPaused(peer);
  }

  /** Must be called when the transfer of a peer's copy failed. */
  failed(peer: string, file: string, digest: string, kind: FailureKind): void {
    if (kind === "absent" || kind === "unmodified") return;
    // A copy with another length is another build, which is not the peer's fault.
    if (kind === "broken" || kind === "unreachable") this.#troubled(peer);
    if (kind !== "wrong") return;
    this.#copies.set(copyKey(peer, file, digest), true);
    this.emit("changed");
    const wrong = this.#wrong.get(peer) ?? new Set();
    wrong.add(file);
    this.#wrong.set(peer, wrong);
    if (wrong.size < MAX_WRONG) return;
    this.#wrong.delete(peer);
    this.#distrust.failed(peer);
  }

  /** Must be called when a peer sent a correct file. */
  succeeded(peer: string): void {
    this.#wrong.delete(peer);
    this.#distrust.succeeded(peer);
    this.#trouble.succeeded(peer);
    this.#troubles.delete(peer);
  }

  /** Must be called when a race between a peer's copy and a mirror has ended. */
  raced(peer: string, hasWon: boolean): void {
    this.#races.set(peer, hasWon);
  }

  /** Returns true when the peer won its last race, false when it lost; undefined when none is stored. */
  raceOf(peer: string): boolean | undefined {
    return this.#races.get(peer);
  }

  /** Returns the state for {@link import} in a new worker. */
  export(): SourceMemoryState {
    const keys = [...this.#copies.keys()].reverse();
    return { copies: keys.map((key) => [key, this.#copies.getRemainingTTL(key)]) };
  }

  /** Adds the state that {@link export} returned in another worker. */
  import({ copies }: SourceMemoryState): void {
    for (const [key, ttl] of copies) this.#copies.set(key, true, { ttl });
  }

  #troubled(peer: string): void {
    const count = (this.#troubles.get(peer) ?? 0) + 1;
    this.#troubles.set(peer, count);
    if (count >= MAX_TROUBLES) this.#trouble.failed(peer);
  }
}

function copyKey(peer: string, file: string, digest: string): string {
  return `${peer} ${file} ${digest}`;
}
