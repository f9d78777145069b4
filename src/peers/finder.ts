/** Finds the peer that has a file, and what peers have in a directory, for a client's request. */

import { isInNetwork, isLoopbackHost } from "../http/address.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { ConcurrencyLimit, NeighbourLimit } from "../http/rate_limit.ts";
import { encodePath } from "../http/target.ts";
import { ranked } from "./balance.ts";
import { FileChecks } from "./file_check.ts";
import type { RemoteIndexes } from "./index/remote.ts";
import { listRemote, type RemoteEntry } from "./listing.ts";
import type { OwnNetwork } from "./own_server.ts";
import { PacredirHosts } from "./pacredir_hosts.ts";
import { canBeAsked } from "./protocol.ts";
import type { Questions } from "./questions.ts";
import type { Peer, Registry } from "./registry.ts";
import { type FileQuestion, search } from "./search.ts";

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
    const question = new Question(segments, this.#parts, this.#checks, this.#pacredir);
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

/** The question for a file of this server's tree. */
class Question implements FileQuestion {
  readonly #path: string;
  readonly #encoded: string;
  /** The name under which indexes have the file; null for one that they do not cover. */
  readonly #name: string | null;
  readonly #parts: FinderParts;
  readonly #checks: FileChecks;
  readonly #pacredir: PacredirHosts;
  readonly #sizes = new Map<Peer, number | null>();

  constructor(
    segments: readonly string[],
    parts: FinderParts,
    checks: FileChecks,
    pacredir: PacredirHosts,
  ) {
    const [directory, name, ...more] = segments;
    this.#path = segments.join("/");
    this.#encoded = encodePath(segments);
    this.#name = directory === "pkg" && name !== undefined && more.length === 0 ? name : null;
    this.#parts = parts;
    this.#checks = checks;
    this.#pacredir = pacredir;
  }

  /** The URL of the file on a peer. */
  urlAt(peer: Peer): string {
    return peer.url.slice(0, -1) + this.#encoded;
  }

  /** The length of a peer's copy, as its confirmation gave it; null when it did not. */
  sizeAt(peer: Peer): number | null {
    return this.#sizes.get(peer) ?? null;
  }

  /** The peers whose index names the file, and those whose index does not tell. */
  byIndex(peers: readonly Peer[]): { readonly named: Peer[]; readonly unknown: Peer[] } {
    const named: Peer[] = [];
    const unknown: Peer[] = [];
    for (const peer of peers.filter(({ kind }) => kind === "pacserve")) {
      const verdict = this.#name !== null && peer.state === "alive"
        ? this.#parts.indexes.verdict(peer, this.#name)
        : "unknown";
      if (verdict === "yes") named.push(peer);
      if (verdict === "unknown") unknown.push(peer);
    }
    // They have no index, and for databases only mirrors are asked.
    const hosts = this.#name?.includes(".pkg.")
      ? this.#pacredir.chosen(peers.filter(({ kind }) => kind === "pacredir"))
      : [];
    return { named, unknown: [...unknown, ...hosts] };
  }

  async check(peer: Peer): Promise<boolean> {
    if (peer.kind === "pacserve") return await this.#checks.ask(peer, this.#path);
    const { has, size } = await this.#pacredir.offers(peer, this.urlAt(peer));
    if (has === "yes") this.#sizes.set(peer, size);
    return has === "yes";
  }

  async confirm(peer: Peer): Promise<boolean> {
    // Such a host has no other way to say that it has the file: it has just been asked in this way.
    if (peer.kind === "pacredir") return this.#sizes.has(peer);
    const { has, size } = await this.#parts.questions.offers(peer, this.urlAt(peer));
    if (has === "not found" && this.#name !== null) this.#parts.indexes.drop(peer, this.#name);
    this.#sizes.set(peer, size);
    return has === "yes";
  }

  ranked(peers: readonly Peer[]): readonly Peer[] {
    // Peers that say yes and then hang, however many, come after all others.
    const trusted = peers.filter(({ failures }) => failures === 0);
    const best = trusted.length > 0 ? trusted : peers;
    return ranked(best, performance.now(), Math.random);
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
