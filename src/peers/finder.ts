/** Finds the peer that has a file, and what peers have in a directory, for a client's request. */

import { isInNetwork, isLoopbackHost } from "../http/address.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { ConcurrencyLimit, NeighbourLimit } from "../http/rate_limit.ts";
import { encodePath } from "../http/target.ts";
import { FileChecks } from "./file_check.ts";
import { FileQuestion } from "./file_question.ts";
import type { RemoteIndexes } from "./index/remote.ts";
import { listRemote, type RemoteEntry } from "./listing.ts";
import type { OwnNetwork } from "./own_server.ts";
import { PacredirHosts } from "./pacredir_hosts.ts";
import { canBeAsked } from "./protocol.ts";
import type { Questions } from "./questions.ts";
import type { Peer, Registry } from "./registry.ts";
import { search } from "./search.ts";

/** A file on a peer. */
export interface Found {
  /** URL of the peer: `http://10.0.0.2:15678/`. */
  readonly peer: string;
  readonly url: string;
  /** Bytes, as the confirmation said; null when it did not. */
  readonly size: number | null;
}

/** What a search needs of a client's request: its connection, and whether it still waits. */
export type Client = Pick<HttpRequest, "connection" | "signal">;

/** What finding needs. */
interface FinderParts {
  readonly registry: Registry;
  readonly questions: Questions;
  readonly indexes: RemoteIndexes;
  readonly network: OwnNetwork;
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

/** Finds files and lists directories on the peers. */
export class Finder {
  readonly #parts: FinderParts;
  readonly #checks: FileChecks;
  readonly #pacredir: PacredirHosts;
  readonly #searches = new Map<string, Promise<Found | null>>();
  readonly #neighbourSearches = new ConcurrencyLimit(MAX_SEARCHES_FOR_NEIGHBOURS);
  readonly #listings = new Map<string, Promise<RemoteEntry[]>>();
  readonly #searchLimit = new NeighbourLimit(SEARCHES_FOR_NEIGHBOUR, SEARCHES_FOR_NEIGHBOURS);
  readonly #listingLimit = new NeighbourLimit(LISTINGS_FOR_NEIGHBOUR, LISTINGS_FOR_NEIGHBOURS);

  constructor(parts: FinderParts) {
    this.#parts = parts;
    this.#checks = new FileChecks(parts.questions);
    this.#pacredir = new PacredirHosts(parts.questions);
  }

  /**
   * The peer that has the file and just confirmed it; null when there is none, or when the client is a
   * neighbour who made this server search too often.
   *
   * @param mayAsk whether a peer, by its URL, comes into question; by default all do.
   */
  find(
    segments: readonly string[],
    { connection, signal }: Client,
    mayAsk?: (peer: string) => boolean,
  ): Promise<Found | null> {
    if (!canBeAsked(segments.join("/"))) return Promise.resolve(null);
    const network = this.#parts.network.networkOf(connection);
    // Clients in one network share a search for the same file among all peers.
    const key = `${network} ${encodePath(segments)}`;
    const running = mayAsk === undefined ? this.#searches.get(key) : undefined;
    const isNeighbour = network !== null;
    if (running === undefined && isNeighbour && !this.#searchLimit.take(connection.remoteAddress)) {
      return Promise.resolve(null);
    }
    const begin = (): Promise<Found | null> => this.#search(segments, network, mayAsk);
    const result = running ?? (isNeighbour ? this.#neighbourSearches.run(begin) : begin());
    if (running !== undefined || mayAsk !== undefined) return nullWhenAborted(result, signal);
    const shared = result.finally(() => this.#searches.delete(key));
    this.#searches.set(key, shared);
    return nullWhenAborted(shared, signal);
  }

  /**
   * What the peers have in a directory, those that the client can reach. Nothing, when the client is a
   * neighbour who made this server ask too often.
   */
  list(segments: readonly string[], { connection }: Client): Promise<RemoteEntry[]> {
    if (!canBeAsked(segments.join("/"))) return Promise.resolve([]);
    const { questions, timeout } = this.#parts;
    const network = this.#parts.network.networkOf(connection);
    const key = `${network} ${encodePath(segments)}`;
    const running = this.#listings.get(key);
    if (running !== undefined) return running;
    if (network !== null && !this.#listingLimit.take(connection.remoteAddress)) {
      return Promise.resolve([]);
    }
    const peers = this.#reachable(network).filter(({ kind }) => kind === "pacserve");
    const result = listRemote(peers, segments, questions, timeout)
      .finally(() => this.#listings.delete(key));
    this.#listings.set(key, result);
    return result;
  }

  async #search(
    segments: readonly string[],
    network: string | null,
    mayAsk: (peer: string) => boolean = () => true,
  ): Promise<Found | null> {
    const question = new FileQuestion(segments, this.#parts, this.#checks, this.#pacredir);
    const reachable = this.#reachable(network).filter(({ url }) => mayAsk(url));
    const { named, unknown } = question.byIndex(reachable);
    const peer = await search(question, named, unknown, this.#parts.timeout);
    if (peer === null) return null;
    if (peer.instance !== null) this.#parts.registry.sentTo(peer);
    return { peer: peer.url, url: question.urlAt(peer), size: question.sizeAt(peer) };
  }

  /** The peers that a client can be sent to; `network` is that in which it came in. */
  #reachable(network: string | null): Peer[] {
    const askable = this.#parts.registry.askable();
    const networks = network === null ? [] : this.#parts.network.networks();
    return askable.filter((peer) => reaches(network, networks, peer.location.host));
  }
}

/**
 * Whether a client can be expected to reach a peer: it is sent there, and has to get there by itself.
 *
 * Where this host is on several networks, those on one need no way to the others. A peer on none of
 * them is behind a router, which is the client's as much as ours.
 *
 * @param network in which the client came in (CIDR); null for a client on this host, which reaches
 * whatever this host does.
 * @param networks of this host's interfaces (CIDR).
 * @param host the peer's name or IP address.
 */
export function reaches(
  network: string | null,
  networks: readonly string[],
  host: string,
): boolean {
  if (network === null) return true;
  if (isLoopbackHost(host)) return false;
  return isInNetwork(host, network) || !networks.some((each) => isInNetwork(host, each));
}

/** The result, or null as soon as nobody is interested any more. */
function nullWhenAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T | null> {
  if (signal.aborted) return Promise.resolve(null);
  return new Promise((resolve, reject) => {
    const abort = (): void => resolve(null);
    signal.addEventListener("abort", abort, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
