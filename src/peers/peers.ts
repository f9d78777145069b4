/** The peers' room as the rest of the house sees it: finding files on the LAN and being found. */

import type { Log } from "../log.ts";
import type { HttpRequest, Reply, ReplyHeaders } from "../http/exchange.ts";
import { ownUri } from "./announcement.ts";
import { Answers } from "./answers.ts";
import { transfersOf } from "./balance.ts";
import { PeerClient } from "./client.ts";
import type { PeersConfiguration } from "./configuration.ts";
import type { Discovery } from "./discovery.ts";
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

/** What the room is made with. */
interface PeersParts {
  readonly scheme: "http" | "https";
  /** Directories that the index is made from; null for a server that publishes none. */
  readonly indexed: readonly string[] | null;
  readonly network: OwnNetwork;
  readonly log: Log;
}

/** A peer as the page shows it. */
export interface PeerRow {
  readonly url: string;
  readonly origin: Peer["origin"];
  readonly state: Peer["state"];
  /** Why it is in backoff. */
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

const DEFAULT_INTERVAL = 300;

/** Finds files on the LAN, and answers peers that look for files here. */
export class Peers {
  /** Finds files on the peers and lists their directories. */
  readonly finder: Finder;
  /** The table of peers; its event `changed` tells of what is worth keeping. */
  readonly registry: Registry;
  /** Finds and tells who downloads a file first. */
  readonly wants: Wants;
  /** What the indexes of the peers say. */
  readonly indexes: RemoteIndexes;
  /** Files that this server is sending at this moment: its owner counts them. */
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

  /** Says what this server is from now on; another configuration makes it another one. */
  serve({ files, admission, relays }: OwnServer): void {
    this.#published.relays = relays;
    this.#answers.share(files);
    this.#published.list(files);
    this.#membership.admit(admission);
  }

  /** Begins to look for peers, once the server listens on `port`. A problem is logged, never thrown. */
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

  /** Ends everything; searches under way find nothing. Settles when others were told of the end. */
  async stop(): Promise<void> {
    const told = this.#discoveries.map((each) => each.stop());
    this.#membership.stop();
    this.#published.stop();
    this.indexes.stop();
    this.#client.close();
    await Promise.all(told);
  }

  /** Identity of this server among its peers. */
  get instance(): string {
    return this.#published.instance;
  }

  /** True for a request that {@link answerIndex} answers. */
  isIndexRequest(request: HttpRequest): boolean {
    return request.method === "GET" && request.target.startsWith(INDEX_TARGET);
  }

  /** Answers a peer that asks for the index of this server. */
  answerIndex(request: HttpRequest): Reply {
    return this.#published.answer(request, this.replyHeaders());
  }

  /** True when a request comes from a peer that searches: it must not make this server search too. */
  isFromPeer(request: HttpRequest): boolean {
    return instanceOf(request.headers[HEADERS.instance.toLowerCase()]) !== null;
  }

  /** Answers a message of another server. */
  async answer(request: HttpRequest): Promise<Reply> {
    const reply = await this.#answers.answer(request);
    return { ...reply, headers: { ...reply.headers, ...this.replyHeaders() } };
  }

  /** Header fields that a reply to a request of a peer bears. */
  replyHeaders(): ReplyHeaders {
    return { ...this.#published.headers(), [HEADERS.transfers]: String(this.transfers) };
  }

  /** Where peers are looked for now, for the page. */
  places(): PeerPlaces {
    return peerPlaces(this.#configuration, Deno.networkInterfaces());
  }

  /** The peers, for the page. */
  rows(): PeerRow[] {
    const now = performance.now();
    return this.registry.all().map((peer) => ({
      url: peer.url,
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
    return { peers: this.registry.export() };
  }

  /** Takes over what {@link exportState} gave. */
  importState(state: PeersState): void {
    this.registry.import(state.peers);
  }
}
