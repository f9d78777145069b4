/** What is remembered of peers that files were downloaded from: whom not to ask for what, and how long. */

import { LRUCache } from "lru-cache";
import type { FailureKind } from "./source.ts";
import type { RelayTimes } from "./times.ts";

const DAY = 86_400_000;
/** Different wrong files in a row after which a peer is not asked for packages. */
const MAX_WRONG = 3;
/** How long a peer is not asked then, the first time and at the most, in milliseconds. */
const WRONG_PAUSE = { first: 600_000, longest: DAY };
/** Transfers of a peer that failed in a row after which it is asked last. */
const MAX_TROUBLES = 2;
/** How long a peer whose transfer failed is not asked, the first time and at the most. */
const TROUBLE_PAUSE = { first: 30_000, longest: 600_000 };
const MAX_COPIES = 5_000;
const MAX_PEERS = 500;

/** Plain data for a worker that takes over: the keys, and the milliseconds that each still counts. */
export interface SourceMemoryState {
  readonly copies: readonly (readonly [string, number])[];
}

interface Pause {
  until: number;
  length: number;
}

/** Remembers peers by address, and copies by peer, file and digest. Bounded. */
export class SourceMemory {
  readonly #now: () => number;
  readonly #changed: () => void;
  /** Copies that were wrong. */
  readonly #copies: LRUCache<string, true>;
  /** Wrong files of a peer since its last right one. */
  readonly #wrong = new LRUCache<string, Set<string>>({ max: MAX_PEERS });
  readonly #distrust = new LRUCache<string, Pause>({ max: MAX_PEERS });
  readonly #trouble = new LRUCache<string, Pause>({ max: MAX_PEERS });
  /** Failed transfers of a peer since its last good one. */
  readonly #troubles = new LRUCache<string, number>({ max: MAX_PEERS });
  /** Peers that took part in a race, and whether they won. */
  readonly #races: LRUCache<string, boolean>;

  /**
   * @param changed called when {@link export} gives more than before.
   * @param now the time in milliseconds.
   */
  constructor(
    times: RelayTimes,
    changed: () => void = () => {},
    now: () => number = () => performance.now(),
  ) {
    this.#changed = changed;
    const clock = { ttlResolution: 0, perf: { now } };
    this.#now = now;
    this.#copies = new LRUCache({ max: MAX_COPIES, ttl: DAY, ...clock });
    this.#races = new LRUCache({ max: MAX_PEERS, ttl: times.raceRemembered, ...clock });
  }

  /** Whether this peer is trusted to have the right bytes of a file. */
  mayAsk(peer: string, file: string, digest: string): boolean {
    return !this.#copies.has(copyKey(peer, file, digest)) && !this.#isPaused(this.#distrust, peer);
  }

  /** Whether a transfer from this peer failed lately: then it is asked last. */
  isTroubled(peer: string): boolean {
    return this.#isPaused(this.#trouble, peer);
  }

  /** A peer's copy failed. */
  failed(peer: string, file: string, digest: string, kind: FailureKind): void {
    if (kind === "absent" || kind === "unmodified") return;
    // A length that differs is another build, which is nobody's fault.
    if (kind === "broken" || kind === "unreachable") this.#troubled(peer);
    if (kind !== "wrong") return;
    this.#copies.set(copyKey(peer, file, digest), true);
    this.#changed();
    const wrong = this.#wrong.get(peer) ?? new Set();
    wrong.add(file);
    this.#wrong.set(peer, wrong);
    if (wrong.size < MAX_WRONG) return;
    this.#wrong.delete(peer);
    lengthen(this.#distrust, peer, WRONG_PAUSE, this.#now());
  }

  /** A peer gave a right file. */
  succeeded(peer: string): void {
    this.#wrong.delete(peer);
    this.#distrust.delete(peer);
    this.#trouble.delete(peer);
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
    if (count >= MAX_TROUBLES) lengthen(this.#trouble, peer, TROUBLE_PAUSE, this.#now());
  }

  #isPaused(pauses: LRUCache<string, Pause>, peer: string): boolean {
    const pause = pauses.get(peer);
    return pause !== undefined && pause.until > this.#now();
  }
}

function copyKey(peer: string, file: string, digest: string): string {
  return `${peer} ${file} ${digest}`;
}

/** Doubles a pause; failures while it lasts count as one. */
function lengthen(
  pauses: LRUCache<string, Pause>,
  peer: string,
  { first, longest }: { readonly first: number; readonly longest: number },
  now: number,
): void {
  const before = pauses.get(peer);
  if (before !== undefined && before.until > now) return;
  const length = before === undefined ? first : Math.min(2 * before.length, longest);
  pauses.set(peer, { until: now + length, length });
}
