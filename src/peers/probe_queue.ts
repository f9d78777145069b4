/**
 * The peers that are to be asked whether they are there.
 *
 * Only so many are asked at a time, and first those that have failed least and whose address is proven:
 * a flood of forged announcements delays the others, but costs no more than this.
 */

import { TokenBucket } from "../http/rate_limit.ts";
import type { Peer, Registry } from "./registry.ts";

const AT_A_TIME = 16;

/** So many are asked without delay, and then this many more in a second. */
const RATE = { burst: 100, perSecond: 20 };

/** Above this length the queue is cleared of peers that are no longer in the table. */
const LONG_QUEUE = 2048;

/** Asks one peer after the other. */
export class ProbeQueue {
  readonly #registry: Registry;
  readonly #probe: (peer: Peer) => Promise<void>;
  readonly #queue = new Set<Peer>();
  readonly #asking = new Set<Peer>();
  /** Those of them that are to be asked once more: there was news while they were being asked. */
  readonly #again = new Set<Peer>();
  readonly #bucket = new TokenBucket(RATE, () => performance.now());
  #timer: ReturnType<typeof setTimeout> | null = null;
  #stopped = false;

  /** @param probe asks the peer and tells the registry what came of it; it never rejects. */
  constructor(registry: Registry, probe: (peer: Peer) => Promise<void>) {
    this.#registry = registry;
    this.#probe = probe;
  }

  /** Asks the peer as soon as it is its turn; once more if it is being asked already. */
  add(peer: Peer): void {
    if (this.#stopped) return;
    if (this.#asking.has(peer)) {
      this.#again.add(peer);
      return;
    }
    this.#queue.add(peer);
    if (this.#queue.size > LONG_QUEUE) {
      for (const queued of this.#queue) {
        if (!this.#registry.has(queued)) this.#queue.delete(queued);
      }
    }
    this.#next();
  }

  /** Asks nobody any more. */
  stop(): void {
    this.#stopped = true;
    this.#queue.clear();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #next(): void {
    while (this.#asking.size < AT_A_TIME && this.#queue.size > 0) {
      if (!this.#bucket.hasToken()) return this.#continueLater();
      const peer = this.#takeBest();
      if (!this.#registry.has(peer)) continue;
      this.#bucket.take();
      this.#asking.add(peer);
      this.#probe(peer).finally(() => {
        this.#asking.delete(peer);
        if (this.#again.delete(peer)) this.add(peer);
        else this.#next();
      });
    }
  }

  /** Goes on when one more may be asked. */
  #continueLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#next();
    }, 1000 / RATE.perSecond);
  }

  #takeBest(): Peer {
    let [best] = this.#queue;
    if (best === undefined) throw new RangeError("nobody is waiting");
    for (const peer of this.#queue) if (doubt(peer) < doubt(best)) best = peer;
    this.#queue.delete(best);
    return best;
  }
}

/** The more, the later a peer is asked. */
function doubt({ origin, state, failures }: Peer): number {
  return state === "candidate" && origin === "announcement" ? Infinity : failures;
}
