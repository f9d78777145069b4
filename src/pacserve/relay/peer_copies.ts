/** Finds peers that have a complete copy of a file, as sources. */

import type { Client } from "../../peers/finder.ts";
import type { PacmanAddress } from "../address.ts";
import type { PeerSearch } from "../peer_search.ts";
import type { FileClient } from "./http_client.ts";
import { HttpSource } from "./http_source.ts";
import type { Source } from "./source.ts";

/** A peer's complete copy of a file. */
interface PeerCopy {
  /** URL of the peer: `http://10.0.0.2:15678/`. */
  readonly peer: string;
  readonly source: Source;
}

/** The options of {@link PeersWithFile}. */
interface PeerCopiesOptions {
  readonly client: FileClient;
  readonly search: PeerSearch;
  readonly address: PacmanAddress;
  /** The client's request. Only peers that this client can reach are asked. */
  readonly request: Client;
  /** Expected size of the file in bytes; null when it is unknown. */
  readonly size: number | null;
  /** Header fields of requests between servers. */
  readonly headers: Readonly<Record<string, string>>;
  /** PEM certificates of the authorities that certify peers. */
  readonly authorities: readonly string[];
}

/** Finds copies with the expected length. */
export class PeersWithFile {
  readonly #options: PeerCopiesOptions;

  constructor(options: PeerCopiesOptions) {
    this.#options = options;
  }

  /**
   * Resolves with a peer that has just confirmed the file with the expected size; null otherwise.
   *
   * @param mayAsk returns false for the URL of a peer that must not be asked.
   */
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
