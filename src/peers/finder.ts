/** Who has a file, or what is in a directory: the questions that a client's request leads to. */

import type { HttpRequest } from "../http/exchange.ts";
import { ConcurrencyLimit, NeighbourLimit } from "../http/rate_limit.ts";
import { encodePath } from "../http/target.ts";
import { ranked } from "./balance.ts";
import { FileChecks } from "./file_check.ts";
import type { PeerIndexes } from "./index_client.ts";
import { listRemote, type RemoteEntry } from "./listing.ts";
import { canBeAsked } from "./protocol.ts";
import type { Questions } from "./questions.ts";
import { reaches } from "./reach.ts";
import type { Peer, Registry } from "./registry.ts";
import { search } from "./search.ts";

/** A file on a peer. */
export interface Found {
  /** Address of the peer: `http://10.0.0.2:15678/`. */
  readonly peer: string;
  readonly url: string;
}

/** What of a client's request matters to a search: who asks, and whether anybody still does. */
export type Client = Pick<HttpRequest, "connection" | "signal">;

/** The networks of this host. */
export interface OwnNetworks {
  /** The network (CIDR) in which a client came in; null for a client on this host. */
  readonly networkOf: (connection: HttpRequest["connection"]) => string | null;
  /** The networks of this host's interfaces (CIDR). */
  readonly networks: () => readonly string[];
}

/** What finding needs. */
export interface FinderOptions {
  readonly registry: Registry;
  readonly questions: Questions;
  readonly indexes: PeerIndexes;
  readonly own: OwnNetworks;
  /** The path of the address that clients are redirected to. */
  readonly encodePath: (segments: readonly string[]) => string;
  /** Milliseconds that a search may take. */
  readonly timeout: number;
}

/**
 * Searches that one neighbour, and all of them together, can make this server begin. An upgrade of 300
 * packages and their signatures is 600.
 */
const SEARCHES_FOR_NEIGHBOUR = { burst: 600, perSecond: 10 };
const SEARCHES_FOR_NEIGHBOURS = { burst: 3_000, perSecond: 50 };

/** More at a time would keep the answers to this host's own questions waiting. */
const MAX_SEARCHES_FOR_NEIGHBOURS = 32;

/** Directories that neighbours can make it ask all peers for: far larger answers, and for people. */
const LISTINGS_FOR_NEIGHBOUR = { burst: 20, perSecond: 0.5 };
const LISTINGS_FOR_NEIGHBOURS = { burst: 60, perSecond: 2 };

/** Bytes that the answers of all peers to one listing may take together. */
const MAX_LISTING_BYTES = 64 << 20;

/** Finds files and lists directories on the peers. */
export class Finder {
  readonly #options: FinderOptions;
  readonly #checks: FileChecks;
  readonly #searches = new Map<string, Promise<Found | null>>();
  readonly #neighbourSearches = new ConcurrencyLimit(MAX_SEARCHES_FOR_NEIGHBOURS);
  readonly #listings = new Map<string, Promise<RemoteEntry[]>>();
  readonly #searchLimit = new NeighbourLimit(SEARCHES_FOR_NEIGHBOUR, SEARCHES_FOR_NEIGHBOURS);
  readonly #listingLimit = new NeighbourLimit(LISTINGS_FOR_NEIGHBOUR, LISTINGS_FOR_NEIGHBOURS);

  constructor(options: FinderOptions) {
    this.#options = options;
    this.#checks = new FileChecks((peer, paths) => options.questions.fileCheck(peer, paths));
  }

  /**
   * The peer that has the file and just confirmed it; null when there is none, or when the client is a
   * neighbour who made this server search too often.
   */
  find(segments: readonly string[], { connection, signal }: Client): Promise<Found | null> {
    if (!canBeAsked(segments.join("/"))) return Promise.resolve(null);
    const network = this.#options.own.networkOf(connection);
    // Clients in one network share a search for the same file.
    const key = `${network} ${encodePath(segments)}`;
    const running = this.#searches.get(key);
    const isNeighbour = network !== null;
    if (running === undefined && isNeighbour && !this.#searchLimit.take(connection.remoteAddress)) {
      return Promise.resolve(null);
    }
    const begin = (): Promise<Found | null> => this.#search(segments, network);
    const result = running ??
      (isNeighbour ? this.#neighbourSearches.run(begin) : begin())
        .finally(() => this.#searches.delete(key));
    if (running === undefined) this.#searches.set(key, result);
    return untilAborted(result, signal);
  }

  /**
   * What the peers have in a directory, those that the client can reach. Nothing, when the client is a
   * neighbour who made this server ask too often.
   */
  list(segments: readonly string[], { connection }: Client): Promise<RemoteEntry[]> {
    const { own, questions, timeout } = this.#options;
    // Without a slash at its end, at which an original crashes.
    const path = `/${segments.join("/")}`;
    if (!canBeAsked(path)) return Promise.resolve([]);
    const network = own.networkOf(connection);
    const key = `${network} ${path}`;
    const running = this.#listings.get(key);
    if (running !== undefined) return running;
    if (network !== null && !this.#listingLimit.take(connection.remoteAddress)) {
      return Promise.resolve([]);
    }
    const allowance = { left: MAX_LISTING_BYTES };
    const result = listRemote(
      this.#reachable(network),
      segments,
      (peer) => questions.list(peer, path, allowance),
      timeout,
    ).finally(() => this.#listings.delete(key));
    this.#listings.set(key, result);
    return result;
  }

  async #search(segments: readonly string[], network: string | null): Promise<Found | null> {
    const { questions, timeout } = this.#options;
    const encoded = this.#options.encodePath(segments);
    const urlAt = (peer: Peer): string => peer.base.slice(0, -1) + encoded;
    const path = segments.join("/");
    const peer = await search({
      ...this.#byIndex(segments, this.#reachable(network)),
      check: (peer) => this.#checks.ask(peer, path),
      confirm: async (peer) => {
        const offer = await questions.offers(peer, urlAt(peer));
        if (offer === "not found") this.#dropped(peer, segments);
        return offer === "yes";
      },
      rank: (peers) => {
        // Peers that say yes and then hang, however many, come after all others.
        const trusted = peers.filter(({ failures }) => failures === 0);
        const best = trusted.length > 0 ? trusted : peers;
        return ranked(best, performance.now(), Math.random);
      },
    }, timeout);
    if (peer === null) return null;
    if (peer.instance !== null) this.#options.registry.sentTo(peer);
    return { peer: peer.base, url: urlAt(peer) };
  }

  #byIndex(
    segments: readonly string[],
    peers: readonly Peer[],
  ): { readonly named: Peer[]; readonly unknown: Peer[] } {
    const name = indexedName(segments);
    const named: Peer[] = [];
    const unknown: Peer[] = [];
    for (const peer of peers) {
      const known = name !== null && peer.state === "alive";
      const verdict = known ? this.#options.indexes.verdict(peer, name) : "unknown";
      if (verdict === "yes") named.push(peer);
      if (verdict === "unknown") unknown.push(peer);
    }
    return { named, unknown };
  }

  #dropped(peer: Peer, segments: readonly string[]): void {
    const name = indexedName(segments);
    if (name !== null) this.#options.indexes.drop(peer, name);
  }

  /** The peers that a client can be sent to; `network` is that in which it came in. */
  #reachable(network: string | null): Peer[] {
    const askable = this.#options.registry.askable();
    const networks = network === null ? [] : this.#options.own.networks();
    return askable.filter((peer) => reaches(network, networks, peer.address.host));
  }
}

/** The name under which indexes have a file; null for one that they do not cover. */
function indexedName([directory, name, ...more]: readonly string[]): string | null {
  return directory === "pkg" && name !== undefined && more.length === 0 ? name : null;
}

/** The result, or null as soon as nobody is interested any more. */
function untilAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T | null> {
  if (signal.aborted) return Promise.resolve(null);
  return new Promise((resolve, reject) => {
    const abort = (): void => resolve(null);
    signal.addEventListener("abort", abort, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
