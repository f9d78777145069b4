/** The peers' room as the rest of the house sees it: finding files on the LAN and being found. */

import { messageOf } from "../failure.ts";
import type { HttpRequest, Reply, ReplyHeaders } from "../http/exchange.ts";
import { encodePath } from "../http/target.ts";
import { parsePeerAddress } from "./address.ts";
import { formatAnnouncement, ownUri } from "./announcement.ts";
import { answerMessage } from "./answer.ts";
import { Arrivals } from "./arrivals.ts";
import { transfersOf } from "./balance.ts";
import { PeerClient } from "./client.ts";
import type { PeersConfiguration } from "./configuration.ts";
import { type Client, Finder, type Found, type OwnNetworks } from "./finder.ts";
import { INDEX_TARGET, type IndexSource, PublishedIndex } from "./published_index.ts";
import { PeerIndexes, type Verdict } from "./index_client.ts";
import { Introductions } from "./introductions.ts";
import type { RemoteEntry } from "./listing.ts";
import { Multicast } from "./multicast.ts";
import { HEADERS, type Listing, MAXIMUM_REQUEST, MESSAGE_TYPE } from "./protocol.ts";
import { countOf, instanceOf, Questions } from "./questions.ts";
import { type Peer, type PeerRecord, Registry } from "./registry.ts";
import { ToldGenerations } from "./told_generations.ts";

/** What the room needs from the server that it belongs to. */
export interface OwnServer extends OwnNetworks {
  /** Whether this server has a file at this place in its tree. */
  readonly has: (segments: readonly string[]) => boolean | Promise<boolean>;
  /** A directory of this server; null when there is none. */
  readonly list: (segments: readonly string[]) => Promise<Listing | null>;
  /** Files that it is sending at this moment. */
  readonly transfers: () => number;
  readonly scheme: "http" | "https";
  /** Whether a client or peer with this IP address is let in. */
  readonly allowed: (address: string) => boolean;
  /** The path of the address that clients are redirected to; by default `encodePath`. */
  readonly encodePath?: (segments: readonly string[]) => string;
  /** What this server's index is made from; left out by servers that publish none. */
  readonly index?: IndexSource;
  /** Something worth a line in the log. */
  readonly log: (level: "warning" | "normal" | "verbose", sentence: string) => void;
}

/** A peer as the page shows it. */
export interface PeerRow {
  readonly url: string;
  readonly origin: Peer["origin"];
  readonly state: Peer["state"];
  /** Why it is set aside. */
  readonly trouble: string | null;
  /** Seconds since it was last heard or answered; null for never. */
  readonly lastSeen: number | null;
  /** Milliseconds. */
  readonly roundTrip: number | null;
  /** Transfers that it is taken to have under way; null for a server of the original. */
  readonly transfers: number | null;
}

/** What survives a worker that is replaced. Plain data. */
export interface PeersState {
  readonly peers: readonly PeerRecord[];
}

export type { Client, Found } from "./finder.ts";

const DEFAULT_INTERVAL = 300;

/** Finds files on the LAN, and answers those who look for them. */
export class Peers {
  /** Random identity of this running server. */
  readonly instance: string = crypto.randomUUID();
  readonly #configuration: PeersConfiguration;
  readonly #own: OwnServer;
  readonly #registry: Registry;
  readonly #client: PeerClient;
  readonly #questions: Questions;
  readonly #indexes: PeerIndexes;
  readonly #finder: Finder;
  /** What this server publishes; null when it has nothing to. */
  readonly #index: PublishedIndex | null;
  readonly #introductions: Introductions;
  readonly #told: ToldGenerations = new ToldGenerations();
  readonly #arrivals: Arrivals;
  #multicast: Multicast | null = null;
  #renewal: ReturnType<typeof setTimeout> | null = null;
  #port = 0;

  constructor(configuration: PeersConfiguration, own: OwnServer) {
    this.#configuration = configuration;
    this.#own = own;
    const interval = configuration.multicast?.interval ?? DEFAULT_INTERVAL;
    this.#registry = new Registry({
      now: () => performance.now(),
      lifetime: 3 * interval * 1000,
      random: Math.random,
      troubled: ({ base }, trouble) =>
        own.log("verbose", `peer ${base}: ${trouble ?? "answers again"}`),
      forgotten: (peer) => this.#indexes.forget(peer),
    });
    this.#client = new PeerClient(configuration.authorities ?? []);
    this.#questions = new Questions({
      client: this.#client,
      registry: this.#registry,
      instance: this.instance,
      patience: configuration.searchTimeout,
      self: (peer) => {
        this.#arrivals.isSelf(peer);
        own.log("verbose", `${peer.base} is this server itself`);
      },
      answered: (peer, generation) => this.#answered(peer, generation),
    });
    this.#indexes = new PeerIndexes({
      get: (...question) => this.#questions.get(...question),
      now: () => performance.now(),
    });
    this.#finder = new Finder({
      registry: this.#registry,
      questions: this.#questions,
      indexes: this.#indexes,
      own,
      encodePath: own.encodePath ?? encodePath,
      timeout: configuration.searchTimeout,
    });
    this.#index = own.index === undefined ? null : new PublishedIndex(
      own.index,
      this.instance,
      () => this.#indexChanged(),
      (sentence) => own.log("warning", sentence),
    );
    this.#introductions = new Introductions(this.#registry, (peer) => this.#introduce(peer));
    this.#arrivals = new Arrivals({
      configuration,
      registry: this.#registry,
      allowed: own.allowed,
      introduce: (peer) => this.#introductions.add(peer),
      again: (peer) => this.#indexes.refresh(peer),
    });
    this.#client.setHeaders(this.#ownHeaders());
    for (const text of configuration.staticPeers) {
      const address = parsePeerAddress(text, configuration.defaultPort);
      if (address !== null) this.#registry.addStatic(address);
    }
  }

  /** Number of peers that are known. */
  get size(): number {
    return this.#registry.size;
  }

  /** Begins to announce, once the server listens on `port`. A problem is logged, never thrown. */
  start(port: number): void {
    this.#port = port;
    this.#arrivals.listensOn(port);
    const interval = (this.#configuration.multicast?.interval ?? DEFAULT_INTERVAL) * 1000;
    this.#index?.start();
    this.#nudgeStatic();
    if (this.#configuration.staticPeers.length > 0) {
      this.#renewal = setInterval(() => this.#nudgeStatic(), interval);
    }
    if (this.#configuration.multicast === null) return;
    const multicast = new Multicast(this.#configuration.multicast, {
      announcement: () => formatAnnouncement(this.#configuration.program, this.#uri()),
      received: (datagram, source) => this.#arrivals.announced(datagram, source),
      problem: (sentence) => this.#own.log("warning", sentence),
    });
    try {
      multicast.start();
      this.#multicast = multicast;
    } catch (error) {
      const { address, port } = this.#configuration.multicast;
      this.#own.log(
        "warning",
        `peers cannot be found, as UDP port ${port} of ${address} cannot be used ` +
          `(--multicast-port, --multicast-address): ${messageOf(error)}`,
      );
    }
  }

  /** Ends everything; searches under way find nothing. */
  stop(): void {
    if (this.#renewal !== null) clearInterval(this.#renewal);
    this.#multicast?.stop();
    this.#multicast = null;
    this.#introductions.stop();
    this.#index?.stop();
    this.#indexes.stop();
    this.#client.close();
  }

  /** The peer that has the file and just confirmed it; null when there is none. */
  find(
    segments: readonly string[],
    client: Client,
    mayAsk?: (peer: string) => boolean,
  ): Promise<Found | null> {
    return this.#finder.find(segments, client, mayAsk);
  }

  /** Whether the peer at this address has a file of this name in `pkg`, as its index tells. */
  verdict(base: string, name: string): Verdict {
    const peer = this.#registry.get(base);
    return peer === undefined ? "unknown" : this.#indexes.verdict(peer, name);
  }

  /** A transfer from the peer at this address failed. */
  failed(base: string, trouble: string): void {
    const peer = this.#registry.get(base);
    if (peer !== undefined) this.#registry.failed(peer, trouble);
  }

  /** What the peers have in a directory. */
  list(segments: readonly string[], client: Client): Promise<RemoteEntry[]> {
    return this.#finder.list(segments, client);
  }

  /** Something changed in what this server shares: the index is built again before long. */
  renewIndex(): void {
    this.#index?.renew();
  }

  /** True for a request that {@link answerIndex} answers. */
  isIndexRequest(request: HttpRequest): boolean {
    return request.method === "GET" && request.target.startsWith(INDEX_TARGET);
  }

  /** Answers a peer that asks for the index of this server. */
  answerIndex(request: HttpRequest): Reply {
    const headers = this.replyHeaders();
    return this.#index?.answer(request, headers) ?? { status: 404, headers, body: null };
  }

  /** True for a request that {@link answer} answers. */
  isMessage(request: HttpRequest): boolean {
    return request.method === "POST" && request.target === "/" &&
      (request.headers["content-type"] ?? MESSAGE_TYPE).startsWith(MESSAGE_TYPE);
  }

  /** True when a request comes from a peer that searches: it must not make this server search too. */
  isFromPeer(request: HttpRequest): boolean {
    return instanceOf(request.headers[HEADERS.instance.toLowerCase()]) !== null;
  }

  /** Answers a message of another server. */
  async answer(request: HttpRequest): Promise<Reply> {
    const body = await textOfBody(request.body);
    if (body === null) return this.#reply(413, "text/plain", "the message is too long\n");
    const { status, body: text } = await answerMessage(
      {
        has: this.#own.has,
        list: this.#own.list,
        nudged: (uri, remoteAddress) => this.#nudged(uri, remoteAddress, request),
        find: async (segments) => (await this.find(segments, request))?.url ?? null,
        listRemote: (segments) => this.list(segments, request),
      },
      body,
      request.connection.remoteAddress,
    );
    return this.#reply(status, status === 200 ? "application/json" : "text/plain", text);
  }

  /** Header fields that a reply to a request of a peer bears. */
  replyHeaders(): ReplyHeaders {
    return { ...this.#ownHeaders(), [HEADERS.transfers]: String(this.#own.transfers()) };
  }

  /** The peers, for the page. */
  rows(): PeerRow[] {
    const now = performance.now();
    return this.#registry.all().map((peer) => ({
      url: peer.base,
      origin: peer.origin,
      state: peer.state,
      trouble: peer.trouble,
      lastSeen: peer.lastSeen === null ? null : (now - peer.lastSeen) / 1000,
      roundTrip: peer.roundTrip,
      transfers: peer.instance === null ? null : Math.round(transfersOf(peer, now)),
    }));
  }

  /** What a worker that takes over should know. */
  exportState(): PeersState {
    return { peers: this.#registry.export() };
  }

  /** Takes over what {@link exportState} gave. */
  importState(state: PeersState): void {
    this.#registry.import(state.peers);
  }

  #nudged(uri: string, remoteAddress: string, { headers }: HttpRequest): void {
    const peer = this.#arrivals.nudged(uri, remoteAddress);
    const instance = instanceOf(headers[HEADERS.instance.toLowerCase()]);
    if (peer === null || instance === null) return;
    const generation = countOf(headers[HEADERS.index.toLowerCase()]);
    if (peer.instance === instance) this.#indexes.told(peer, generation);
    // It was started anew, or is not the server that it was taken for.
    else this.#introductions.add(peer);
  }

  #answered(peer: Peer, generation: number | null): void {
    this.#indexes.told(peer, generation);
    if (this.#told.isBehind(peer, this.#generation)) this.#introductions.add(peer);
  }

  /** Tells the peers. One that is set aside for now is told when it answers again. */
  #indexChanged(): void {
    this.#client.setHeaders(this.#ownHeaders());
    for (const peer of this.#registry.askable()) {
      const isOriginal = peer.roundTrip !== null && peer.instance === null;
      if (!isOriginal) this.#introductions.add(peer);
    }
  }

  /** That of this server's index; 0 while there is none. */
  get #generation(): number {
    return this.#index?.generation ?? 0;
  }

  #ownHeaders(): Record<string, string> {
    const generation = this.#generation;
    return {
      [HEADERS.instance]: this.instance,
      ...(generation > 0 ? { [HEADERS.index]: String(generation) } : {}),
    };
  }

  #uri(): string {
    return ownUri(this.#own.scheme, this.#port);
  }

  async #introduce(peer: Peer): Promise<void> {
    const isNew = peer.state === "candidate";
    this.#told.telling(peer, this.#generation);
    try {
      await this.#questions.nudge(peer, this.#uri());
      if (isNew) this.#own.log("normal", `found peer ${peer.base}`);
    } catch (error) {
      this.#told.lost(peer);
      // What is wrong with one that is known says the registry.
      if (isNew) this.#own.log("verbose", `peer ${peer.base}: ${messageOf(error)}`);
    }
  }

  #nudgeStatic(): void {
    for (const peer of this.#registry.all()) {
      if (peer.origin === "static") this.#introductions.add(peer);
    }
  }

  #reply(status: number, type: string, text: string): Reply {
    const body = new TextEncoder().encode(text);
    return {
      status,
      headers: {
        ...this.replyHeaders(),
        "Content-Type": type,
        "Content-Length": String(body.length),
      },
      body,
    };
  }
}

/** The text of a request's body; null when it is longer than any message. */
async function textOfBody(body: AsyncIterable<Uint8Array>): Promise<string | null> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAXIMUM_REQUEST) return null;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
