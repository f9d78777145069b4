/**
 * The queue of peers to probe.
 *
 * The rate of probes is limited. Peers with the fewest failures and with a proven address come first. A
 * flood of forged announcements therefore delays other candidates, but causes no more than these probes.
 */

import { TokenBucket } from "../http/rate_limit.ts";
import type { Peer, Registry } from "./registry.ts";

const AT_A_TIME = 16;

/** The rate of probes: the first ones are sent without delay. */
const RATE = { burst: 100, perSecond: 20 };

/** Above this length, peers that are no longer in the table are removed from the queue. */
const LONG_QUEUE = 2048;

/** Probes peers one after another. */
export class ProbeQueue {
  readonly #registry: Registry;
  readonly #probe: (peer: Peer) => Promise<void>;
  readonly #queue = new Set<Peer>();
  readonly #asking = new Set<Peer>();
  /** Peers to probe once more, because they were added again while they were being probed. */
  readonly #again = new Set<Peer>();
  readonly #bucket = new TokenBucket(RATE, () => performance.now());
  #timer: ReturnType<typeof setTimeout> | null = null;
  #stopped = false;

  /** @param probe asks the peer and reports the result to the registry. It must never reject. */
  constructor(registry: Registry, probe: (peer: Peer) => Promise<void>) {
    this.#registry = registry;
    this.#probe = probe;
  }

  /** Adds a peer. If it is being probed already, it is probed once more. */
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

  /** Stops all probes. */
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

  /** Continues when the rate allows one more probe. */
  #continueLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#next();
    }, 1000 / RATE.perSecond);
  }

  #takeBest(): Peer {
    let [best] = this.#queue;
    if (best === undefined) throw new RangeError("the queue is empty");
    for (const peer of this.#queue) if (doubt(peer) < doubt(best)) best = peer;
    this.#queue.delete(best);
    return best;
  }
}

/** Returns the rank of a peer in the queue. Lower ones are probed first. */
function doubt({ origin, state, failures }: Peer): number {
  return state === "candidate" && origin === "announcement" ? Infinity : failures;
}
