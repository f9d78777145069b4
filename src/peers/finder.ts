/** Finds the peer that has a file, and the entries of a directory on peers, for a client's request. */

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
  /** Size in bytes from the confirmation; null when that had none. */
  readonly size: number | null;
}

/**
 * The parts of a client's request that a search uses: its connection, and a signal that aborts when the
 * client leaves.
 */
export type Client = Pick<HttpRequest, "connection" | "signal">;

/** The objects that the finder uses. */
interface FinderParts {
  readonly registry: Registry;
  readonly questions: Questions;
  readonly indexes: RemoteIndexes;
  readonly network: OwnNetwork;
  /** The time limit of a search in milliseconds. */
  readonly timeout: number;
}

/**
 * The number of searches that one neighbour can make this server start. An upgrade of 300 packages with
 * their signatures needs 600.
 */
const SEARCHES_FOR_NEIGHBOUR = { burst: 600, perSecond: 10 };
const SEARCHES_FOR_NEIGHBOURS = { burst: 3_000, perSecond: 50 };

/**
 * The greatest number of simultaneous searches for all neighbours. More would delay the searches for this
 * host.
 */
const MAX_SEARCHES_FOR_NEIGHBOURS = 32;

/**
 * The number of directories for which a neighbour can make this server ask all peers. It is smaller,
 * because the answers are far larger, and only people ask for them.
 */
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
   * Returns a peer that has just confirmed that it has the file; null when there is none, or when the
   * client is a neighbour that caused too many searches.
   *
   * @param mayAsk returns true for the URL of a peer that may be asked; by default all may.
   */
  find(
    segments: readonly string[],
    { connection, signal }: Client,
    mayAsk?: (peer: string) => boolean,
  ): Promise<Found | null> {
    if (!canBeAsked(segments.join("/"))) return Promise.resolve(null);
    const network = this.#parts.network.networkOf(connection);
    // Clients in the same network share one search for the same file.
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
   * Returns the entries of a directory on the peers that the client can reach; none when the client is a
   * neighbour that asked too often.
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

  /** Returns the peers to which a client can be redirected; see {@link Network.reaches} for `client`. */
  #reachable(client: string | null): Peer[] {
    const { registry, network } = this.#parts;
    return registry.askable().filter(({ location }) => network.reaches(client, location.host));
  }
}

/** Returns the result, or null as soon as the signal aborts. */
function nullWhenAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T | null> {
  if (signal.aborted) return Promise.resolve(null);
  return new Promise((resolve, reject) => {
    const abort = (): void => resolve(null);
    signal.addEventListener("abort", abort, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
