/** Discovery of static peers, which the user named with `--peer`. */

import type { PeersConfiguration } from "./configuration.ts";
import type { Discovery, DiscoveryListener, Echo } from "./discovery.ts";
import { parsePeerUrl, type PeerUrl } from "./peer_url.ts";

/**
 * Reports the static peers at the start, and again periodically, because they may have been restarted and
 * not know this server.
 */
export class StaticPeers implements Discovery {
  readonly #peers: readonly PeerUrl[];
  readonly #interval: number;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param interval in milliseconds. */
  constructor(
    { staticPeers, defaultPort }: Pick<PeersConfiguration, "staticPeers" | "defaultPort">,
    interval: number,
  ) {
    this.#peers = staticPeers.map((url) => parsePeerUrl(url, defaultPort))
      .filter((peer) => peer !== null);
    this.#interval = interval;
  }

  start(listener: DiscoveryListener): void {
    if (this.#peers.length === 0) return;
    const tell = (): void => {
      for (const peer of this.#peers) listener.found(peer, "pacserve");
    };
    tell();
    this.#timer = setInterval(tell, this.#interval);
  }

  /** Returns an empty list, because nothing is announced for static peers. */
  echoes(): Promise<Echo[]> {
    return Promise.resolve([]);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
