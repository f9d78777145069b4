/** What is remembered of peers that files were downloaded from: whom not to ask for what, and how long. */

import { EventEmitter } from "node:events";
import { LRUCache } from "lru-cache";
import { type BackoffRange, Backoffs } from "../../backoff.ts";
import type { FailureKind } from "./source.ts";
import type { RelayTimes } from "./times.ts";

const DAY = 86_400_000;
/** Different wrong files in a row after which a peer is not asked for packages. */
const MAX_WRONG = 3;
/** How long a peer is not asked then, the first time and at the most, in milliseconds. */
const WRONG_PAUSE: BackoffRange = { first: 600_000, max: DAY };
/** Transfers of a peer that failed in a row after which it is asked last. */
const MAX_TROUBLES = 2;
/** How long a peer whose transfer failed is not asked, the first time and at the most. */
const TROUBLE_PAUSE: BackoffRange = { first: 30_000, max: 600_000 };
const MAX_COPIES = 5_000;
const MAX_PEERS = 500;

/** Plain data for a worker that takes over: the keys, and the milliseconds that each still counts. */
export interface SourceMemoryState {
  readonly copies: readonly (readonly [string, number])[];
}

/**
 * Remembers peers by address, and copies by peer, file and digest. Bounded.
 *
 * Its event `changed` tells that {@link export} gives more than before.
 */
export class SourceMemory extends EventEmitter<{ changed: [] }> {
  /** Copies that were wrong. */
  readonly #copies: LRUCache<string, true>;
  /** Wrong files of a peer since its last right one. */
  readonly #wrong = new LRUCache<string, Set<string>>({ max: MAX_PEERS });
  readonly #distrust: Backoffs;
  readonly #trouble: Backoffs;
  /** Failed transfers of a peer since its last good one. */
  readonly #troubles = new LRUCache<string, number>({ max: MAX_PEERS });
  /** Peers that took part in a race, and whether they won. */
  readonly #races: LRUCache<string, boolean>;

  constructor(times: RelayTimes) {
    super();
    const now = (): number => performance.now();
    const clock = { ttlResolution: 0, perf: { now } };
    this.#distrust = new Backoffs(WRONG_PAUSE, MAX_PEERS, now);
    this.#trouble = new Backoffs(TROUBLE_PAUSE, MAX_PEERS, now);
    this.#copies = new LRUCache({ max: MAX_COPIES, ttl: DAY, ...clock });
    this.#races = new LRUCache({ max: MAX_PEERS, ttl: times.raceRemembered, ...clock });
  }

  /** Whether this peer is trusted to have the right bytes of a file. */
  mayAsk(peer: string, file: string, digest: string): boolean {
    return !this.#copies.has(copyKey(peer, file, digest)) && !this.#distrust.isPaused(peer);
  }

  /** Whether a transfer from this peer failed lately: then it is asked last. */
  isTroubled(peer: string): boolean {
    return this.#trouble.isPaused(peer);
  }

  /** A peer's copy failed. */
  failed(peer: string, file: string, digest: string, kind: FailureKind): void {
    if (kind === "absent" || kind === "unmodified") return;
    // A length that differs is another build, which is nobody's fault.
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

  /** A peer gave a right file. */
  succeeded(peer: string): void {
    this.#wrong.delete(peer);
    this.#distrust.succeeded(peer);
    this.#trouble.succeeded(peer);
    this.#troubles.delete(peer);
  }

  /** A race of a peer's copy against a mirror ended. */
  raced(peer: string, hasWon: boolean): void {
    this.#races.set(peer, hasWon);
  }

  /** Whether a peer won or lost its last race; undefined when none is remembered. */
  raceOf(peer: string): boolean | undefined {
    return this.#races.get(peer);
  }

  /** What one that takes over has to know. */
  export(): SourceMemoryState {
    const keys = [...this.#copies.keys()].reverse();
    return { copies: keys.map((key) => [key, this.#copies.getRemainingTTL(key)]) };
  }

  /** Takes over what another one knew. */
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
