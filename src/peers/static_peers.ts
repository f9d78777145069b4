/** Peers that the user named (`--peer`): discovery that knows them from the start. */

import type { PeersConfiguration } from "./configuration.ts";
import type { Discovery, DiscoveryListener, Echo } from "./discovery.ts";
import { parsePeerUrl, type PeerUrl } from "./peer_url.ts";

/** Gives the named peers at the start, and again from time to time: they may not know this server. */
export class StaticPeers implements Discovery {
  readonly #peers: readonly PeerUrl[];
  readonly #interval: number;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param interval milliseconds between two times. */
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

  /** Named peers are asked: nothing is announced to them. */
  echoes(): Promise<Echo[]> {
    return Promise.resolve([]);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
