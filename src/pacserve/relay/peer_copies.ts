/** The complete copies that peers have of one file, as sources. */

import type { Found } from "../../peers/finder.ts";
import type { FileClient } from "./http_client.ts";
import { HttpSource } from "./http_source.ts";
import type { PeerCopies, PeerCopy } from "./package_sources.ts";

/** How the peers are asked. */
export interface PeerCopiesOptions {
  readonly client: FileClient;
  /** Searches for the file among the peers that `mayAsk` allows. */
  readonly search: (mayAsk: (peer: string) => boolean) => Promise<Found | null>;
  /** Bytes that the file must have; null when nobody knows. */
  readonly size: number | null;
  /** Header fields of requests between servers. */
  readonly headers: Readonly<Record<string, string>>;
  /** PEM certificates of those that certify peers. */
  readonly authorities: readonly string[];
}

/** Peers of the same name with other files that are passed over in one search. */
const MAX_OTHERS = 8;

/** Finds copies of the right length. */
export class PeersWithFile implements PeerCopies {
  readonly #options: PeerCopiesOptions;

  constructor(options: PeerCopiesOptions) {
    this.#options = options;
  }

  async find(mayAsk: (peer: string) => boolean): Promise<PeerCopy | null> {
    const { size, client, headers, authorities } = this.#options;
    const others = new Set<string>();
    while (others.size < MAX_OTHERS) {
      const found = await this.#options.search((peer) => !others.has(peer) && mayAsk(peer));
      if (found === null) return null;
      if (size !== null && found.size !== null && found.size !== size) {
        // Another build, of another distribution perhaps: that is nobody's fault.
        others.add(found.peer);
        continue;
      }
      const source = new HttpSource({
        kind: "copy",
        name: `peer ${found.peer.replace(/\/$/, "")}`,
        url: found.url,
        client,
        headers,
        authorities,
        isSelf: null,
      });
      return { peer: found.peer, source };
    }
    return null;
  }
}
