/**
 * The interface of the code about peers for the rest of the program: finds files on the LAN, and answers
 * peers.
 */

import type { Log } from "../log.ts";
import type { HttpRequest, Reply, ReplyHeaders } from "../http/exchange.ts";
import { ownUri } from "./announcement.ts";
import { Answers } from "./answers.ts";
import { transfersOf } from "./balance.ts";
import { PeerClient } from "./client.ts";
import type { PeersConfiguration } from "./configuration.ts";
import { pause } from "./datagrams.ts";
import type { Discovery, Echo, Means } from "./discovery.ts";
import { Finder } from "./finder.ts";
import { INDEX_TARGET } from "./index/format.ts";
import { PublishedIndex } from "./index/published.ts";
import { RemoteIndexes } from "./index/remote.ts";
import { Mdns, MDNS_LIFETIME } from "./mdns.ts";
import { Membership } from "./membership.ts";
import { Multicast } from "./multicast.ts";
import type { OwnNetwork, OwnServer } from "./own_server.ts";
import { type PeerPlaces, peerPlaces } from "./places.ts";
import { HEADERS } from "./protocol.ts";
import { instanceOf, Questions } from "./questions.ts";
import { type Peer, type PeerRecord, Registry } from "./registry.ts";
import { StaticPeers } from "./static_peers.ts";
import { Wants } from "./wants.ts";

/** The objects and settings that {@link Peers} uses. */
interface PeersParts {
  readonly scheme: "http" | "https";
  /** Directories whose files are in the index; null for a server that publishes no index. */
  readonly indexed: readonly string[] | null;
  readonly network: OwnNetwork;
  readonly log: Log;
}

/** A row of the page of peers. */
export interface PeerRow {
  readonly url: string;
  readonly origin: Peer["origin"];
  /** The means of discovery by which it was found. */
  readonly means: readonly Means[];
  readonly state: Peer["state"];
  /** Number of failures since it last confirmed a file, or in the last minutes. */
  readonly failures: number;
  /** The reason why it is in backoff. */
  readonly trouble: string | null;
  /** Seconds since it last announced itself or answered; null for never. */
  readonly lastSeen: number | null;
  /** Round trip time in milliseconds. */
  readonly roundTrip: number | null;
  /** The estimated number of its transfers; null for a server of the original. */
  readonly transfers: number | null;
}

/** A request of a peer from another machine. */
export interface Visit {
  /** IP address of the peer. */
  readonly address: string;
  /** Seconds since the request. */
  readonly ago: number;
}

/** State for the worker that replaces this one. Plain data. */
export interface PeersState {
  readonly peers: readonly PeerRecord[];
}

const DEFAULT_INTERVAL = 300;

/** Milliseconds to wait for an announcement to come back. */
const ECHO_PATIENCE = 2_000;

/** Milliseconds to wait for a request of a peer, also between two checks, and in which one counts as new. */
const VISIT_PATIENCE = 1_000;
const VISIT_POLL = 50;
const VISIT_FRESH = 60_000;

/** Milliseconds between two announcements for {@link Peers.echoes}. */
const ECHO_PAUSE = 1_000;

/** Finds files on the LAN, and answers peers that look for files here. */
export class Peers {
  /** Finds files on the peers and lists their directories. */
  readonly finder: Finder;
  /** The table of peers. Its event `changed` reports changes that the next worker should get. */
  readonly registry: Registry;
  /** Finds the server that downloads a file first, and answers wants. */
  readonly wants: Wants;
  /** The indexes of the peers. */
  readonly indexes: RemoteIndexes;
  /** Number of files that this server is sending at this moment. The owner of this object counts them. */
  transfers = 0;
  readonly #configuration: PeersConfiguration;
  readonly #parts: PeersParts;
  /** Milliseconds between two announcements. */
  readonly #interval: number;
  readonly #client: PeerClient;
  readonly #published: PublishedIndex;
  readonly #membership: Membership;
  readonly #answers: Answers;
  #discoveries: readonly Discovery[] = [];
  #lastVisit: { readonly address: string; readonly at: number } | null = null;
  #echoes: { readonly begun: number; isOver: boolean; readonly found: Promise<Echo[]> } | null =
    null;

  constructor(configuration: PeersConfiguration, parts: PeersParts) {
    const { network, log } = parts;
    this.#configuration = configuration;
    this.#parts = parts;
    this.#interval = (configuration.multicast?.interval ?? DEFAULT_INTERVAL) * 1000;
    const lifetime = Math.max(
      3 * this.#interval,
      configuration.mdns === null ? 0 : MDNS_LIFETIME,
    );
    const registry = new Registry({ lifetime });
    const published = new PublishedIndex(parts.indexed, log);
    const timeout = configuration.searchTimeout;
    this.registry = registry;
    this.#client = new PeerClient(configuration.authorities ?? []);
    this.#published = published;
    const questions = new Questions(this.#client, registry, published, timeout);
    const indexes = new RemoteIndexes(questions, registry);
    this.indexes = indexes;
    const members = { configuration, registry, questions, published, indexes, network, log };
    this.#membership = new Membership(members);
    this.finder = new Finder({ registry, questions, indexes, network, timeout });
    this.wants = new Wants(registry, questions, published);
    this.#answers = new Answers(this.finder, this.#membership, this.wants);
  }

  /** Sets the properties of this server, at start and after each change of the configuration. */
  serve({ files, admission, relays }: OwnServer): void {
    this.#published.relays = relays;
    this.#answers.share(files);
    this.#published.list(files);
    this.#membership.admit(admission);
  }

  /** Starts discovery. Must be called when the server listens on `port`. Problems are logged, never thrown. */
  start(port: number): void {
    const { scheme, log } = this.#parts;
    const { multicast, mdns } = this.#configuration;
    const uri = ownUri(scheme, port);
    this.#membership.start(port, uri);
    this.#published.start();
    const named = new StaticPeers(this.#configuration, this.#interval);
    named.start({
      found: (peer) => this.#membership.named(peer),
      seen: () => {},
      lost: () => {},
    });
    const seeing: Discovery[] = [];
    if (multicast !== null) {
      seeing.push(new Multicast(multicast, this.#configuration, uri, log));
    }
    if (mdns !== null) {
      const { instance } = this.#published;
      seeing.push(new Mdns(mdns, { scheme, port, instance }, log));
    }
    for (const each of seeing) each.start(this.#membership);
    this.#discoveries = [named, ...seeing];
  }

  /** Stops everything; searches then find nothing. Resolves when the goodbye to other servers was sent. */
  async stop(): Promise<void> {
    const told = this.#discoveries.map((each) => each.stop());
    this.#membership.stop();
    this.#published.stop();
    this.indexes.stop();
    this.#client.close();
    await Promise.all(told);
  }

  /** The identity of this server for its peers. */
  get instance(): string {
    return this.#published.instance;
  }

  /** True for a request that {@link answerIndex} answers. */
  isIndexRequest(request: HttpRequest): boolean {
    return request.method === "GET" && request.target.startsWith(INDEX_TARGET);
  }

  /** Answers a request for the index of this server. */
  answerIndex(request: HttpRequest): Reply {
    return this.#published.answer(request, this.replyHeaders());
  }

  /** True for a request of a peer that searches; it must not make this server search, too. */
  isFromPeer(request: HttpRequest): boolean {
    return instanceOf(request.headers[HEADERS.instance.toLowerCase()]) !== null;
  }

  /** Answers a message of another server. */
  async answer(request: HttpRequest): Promise<Reply> {
    const reply = await this.#answers.answer(request);
    return { ...reply, headers: { ...reply.headers, ...this.replyHeaders() } };
  }

  /** Returns the header fields for replies to requests of peers. */
  replyHeaders(): ReplyHeaders {
    return { ...this.#published.headers(), [HEADERS.transfers]: String(this.transfers) };
  }

  /** Returns the means of discovery and the interfaces in use, for the page of peers. */
  places(): PeerPlaces {
    return peerPlaces(this.#configuration, Deno.networkInterfaces());
  }

  /** Returns the peers, for the page of peers. */
  rows(): PeerRow[] {
    const now = performance.now();
    return this.registry.all().map((peer) => ({
      url: peer.url,
      origin: peer.origin,
      means: [...peer.means],
      failures: peer.failures,
      state: peer.state,
      trouble: peer.trouble,
      lastSeen: peer.lastSeen === null ? null : (now - peer.lastSeen) / 1000,
      roundTrip: peer.roundTrip,
      transfers: peer.instance === null ? null : Math.round(transfersOf(peer, now)),
    }));
  }

  /**
   * Must be called for each request of a peer. One from another machine proves that no firewall blocks
   * peers.
   */
  visited(address: string): void {
    if (!this.#parts.network.isOwn(address)) this.#lastVisit = { address, at: performance.now() };
  }

  /**
   * Returns the last request of a peer from another machine; null while there was none. If peers are known,
   * it waits for one, because an announcement makes them send requests.
   */
  async lastVisit(): Promise<Visit | null> {
    const end = performance.now() + VISIT_PATIENCE;
    const isAwaited = this.registry.all().some((peer) => peer.state === "alive");
    while (isAwaited && performance.now() < end && !this.#isVisitedSince(end - VISIT_FRESH)) {
      await pause(VISIT_POLL);
    }
    if (this.#lastVisit === null) return null;
    const { address, at } = this.#lastVisit;
    return { address, ago: (performance.now() - at) / 1000 };
  }

  #isVisitedSince(time: number): boolean {
    return this.#lastVisit !== null && this.#lastVisit.at > time;
  }

  /**
   * Announces this server now, by all means of discovery, and returns where the announcements came back. A
   * second call within {@link ECHO_PAUSE} gets the same result.
   */
  echoes(): Promise<Echo[]> {
    const now = performance.now();
    if (this.#echoes === null || (this.#echoes.isOver && now - this.#echoes.begun > ECHO_PAUSE)) {
      const found = Promise.all(this.#discoveries.map((each) => each.echoes(ECHO_PATIENCE)))
        .then((each) => each.flat());
      const echoes = { begun: now, isOver: false, found };
      this.#echoes = echoes;
      void found.finally(() => echoes.isOver = true);
    }
    return this.#echoes.found;
  }

  /** Returns the state for the worker that replaces this one. */
  exportState(): PeersState {
    return { peers: this.registry.export() };
  }

  /** Restores the state that {@link exportState} returned. */
  importState(state: PeersState): void {
    this.registry.import(state.peers);
  }
}
