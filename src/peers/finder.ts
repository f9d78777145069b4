/** Who has a file, or what is in a directory: the questions that a client's request leads to. */

import type { HttpRequest } from "../http/exchange.ts";
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
  /** Bytes, as the confirmation said; null when it did not. */
  readonly size: number | null;
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

/** Finds files and lists directories on the peers. */
export class Finder {
  readonly #options: FinderOptions;
  readonly #checks: FileChecks;
  readonly #searches = new Map<string, Promise<Found | null>>();

  constructor(options: FinderOptions) {
    this.#options = options;
    this.#checks = new FileChecks((peer, paths) => options.questions.fileCheck(peer, paths));
  }

  /**
   * The peer that has the file and just confirmed it; null when there is none.
   *
   * @param mayAsk whether a peer, by its URL, comes into question; by default all do.
   */
  find(
    segments: readonly string[],
    { connection, signal }: Client,
    mayAsk?: (peer: string) => boolean,
  ): Promise<Found | null> {
    if (!canBeAsked(segments.join("/"))) return Promise.resolve(null);
    const network = this.#options.own.networkOf(connection);
    if (mayAsk !== undefined) return untilAborted(this.#search(segments, network, mayAsk), signal);
    // Clients in one network share a search for the same file.
    const key = `${network} ${encodePath(segments)}`;
    const running = this.#searches.get(key);
    const result = running ?? this.#search(segments, network).finally(() => {
      this.#searches.delete(key);
    });
    if (running === undefined) this.#searches.set(key, result);
    return untilAborted(result, signal);
  }

  /** What the peers have in a directory, those that the client can reach. */
  list(segments: readonly string[], { connection }: Client): Promise<RemoteEntry[]> {
    const { own, questions, timeout } = this.#options;
    const path = segments.length === 0 ? "/" : `/${segments.join("/")}/`;
    if (!canBeAsked(path)) return Promise.resolve([]);
    return listRemote(
      this.#reachable(own.networkOf(connection)),
      segments,
      (peer) => questions.list(peer, path),
      timeout,
    );
  }

  async #search(
    segments: readonly string[],
    network: string | null,
    mayAsk: (peer: string) => boolean = () => true,
  ): Promise<Found | null> {
    const sizes = new Map<Peer, number | null>();
    const { questions, timeout } = this.#options;
    const encoded = this.#options.encodePath(segments);
    const urlAt = (peer: Peer): string => peer.base.slice(0, -1) + encoded;
    const path = segments.join("/");
    const peer = await search({
      ...this.#byIndex(segments, this.#reachable(network).filter(({ base }) => mayAsk(base))),
      check: (peer) => this.#checks.ask(peer, path),
      confirm: async (peer) => {
        const { has, size } = await questions.offers(peer, urlAt(peer));
        if (has === "not found") this.#dropped(peer, segments);
        sizes.set(peer, size);
        return has === "yes";
      },
      rank: (peers) => ranked(peers, performance.now(), Math.random),
    }, timeout);
    if (peer === null) return null;
    if (peer.instance !== null) this.#options.registry.sentTo(peer);
    return { peer: peer.base, url: urlAt(peer), size: sizes.get(peer) ?? null };
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
