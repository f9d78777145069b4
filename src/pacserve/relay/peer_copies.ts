/** The complete copies that peers have of one file, as sources. */

import type { Client } from "../../peers/finder.ts";
import type { PacmanAddress } from "../address.ts";
import type { PeerSearch } from "../peer_search.ts";
import type { FileClient } from "./http_client.ts";
import { HttpSource } from "./http_source.ts";
import type { PeerCopies, PeerCopy } from "./package_sources.ts";

/** How the peers are asked. */
interface PeerCopiesOptions {
  readonly client: FileClient;
  readonly search: PeerSearch;
  readonly address: PacmanAddress;
  /** The client, which has to reach the peers. */
  readonly request: Client;
  /** Bytes that the file must have; null when nobody knows. */
  readonly size: number | null;
  /** Header fields of requests between servers. */
  readonly headers: Readonly<Record<string, string>>;
  /** PEM certificates of those that certify peers. */
  readonly authorities: readonly string[];
}

/** Finds copies of the right length. */
export class PeersWithFile implements PeerCopies {
  readonly #options: PeerCopiesOptions;

  constructor(options: PeerCopiesOptions) {
    this.#options = options;
  }

  async find(mayAsk: (peer: string) => boolean): Promise<PeerCopy | null> {
    const { search, address, request, size, client, headers, authorities } = this.#options;
    const found = await search.find(address, request, size === null ? [] : [size], mayAsk);
    if (found === null) return null;
    const source = new HttpSource({
      kind: "copy",
      name: `peer ${found.peer.replace(/\/$/, "")}`,
      url: found.url,
      client,
      headers,
      authorities,
      self: null,
    });
    return { peer: found.peer, source };
  }
}
