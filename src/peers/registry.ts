/**
 * The table of the servers on the LAN.
 *
 * A peer that only announced itself is a *candidate*: anybody can send such a datagram, so it must
 * answer before it is believed. One that answered is *alive*. One that failed is in *backoff*: it is
 * not asked for a pause that grows each time, and comes back when it answers. The table is bounded, and
 * candidates never push out a peer that works.
 */

import { EventEmitter } from "node:events";
import { LRUCache } from "lru-cache";
import { backoffPause, type BackoffRange } from "../backoff.ts";
import { isLoopbackHost } from "../http/address.ts";
import { transfersOf } from "./balance.ts";
import type { PeerKind } from "./discovery.ts";
import { formatPeerUrl, type PeerUrl } from "./peer_url.ts";

/** How much is kept. */
const BOUNDS = {
  peers: 1024,
  candidates: 256,
  /** Peers and candidates of one host, unless it is this host. */
  perHost: 16,
  /** Peers whose backoff is over that one search asks. */
  due: 8,
  /** Milliseconds for which a peer in backoff is still taken to be there, after its last answer. */
  recent: 10_000,
  /** Milliseconds without a failure that end a probation. */
  probation: 600_000,
} as const;

/** The backoff of a peer that fails, in milliseconds. */
const PEER_BACKOFF: BackoffRange = { first: 2_000, max: 300_000 };

/** URLs that are remembered as this server's own. */
const MAX_SELVES = 256;

/** How a peer became known. A nudge comes over TCP, so the address in it is proven. */
type Origin = "static" | "nudge" | "announcement";

/** A server on the LAN. */
export interface Peer {
  /** With a slash at the end. */
  readonly url: string;
  /** The URL taken apart. */
  readonly location: PeerUrl;
  readonly origin: Origin;
  readonly kind: PeerKind;
  state: "candidate" | "alive" | "backoff";
  /** When it was last heard or answered, on the registry's clock; null for never. */
  lastSeen: number | null;
  /** Failures since it last answered for a file, or in the last minutes. Above 0 it is on probation. */
  failures: number;
  /** When it failed last, on the registry's clock. */
  failedAt: number;
  /** When its backoff is over, on the registry's clock. */
  backoffUntil: number;
  /** Identity of the running server, if it is one of ours. */
  instance: string | null;
  /** Generation of its index, when it last spoke of it; null for none. */
  generation: number | null;
  /** It relays, as its last answer said: it can be a tracker. */
  relays: boolean;
  /** Files that it was sending at `transfersAt`, on the registry's clock: see {@link transfersOf}. */
  transfers: number;
  transfersAt: number;
  /** Milliseconds, smoothed; null before the first answer. */
  roundTrip: number | null;
  /** Why it is in backoff. */
  trouble: string | null;
}

/** What an answer tells about a peer. */
interface PeerFacts {
  readonly instance: string | null;
  /** Generation of its index; null for none. */
  readonly generation: number | null;
  readonly transfers: number | null;
  /** It relays; by default it does not. */
  readonly relays?: boolean;
  /** Milliseconds. */
  readonly roundTrip: number;
  /** It answered for the very address of a file: only that ends a probation at once. */
  readonly isProof: boolean;
}

/** A peer as plain data, so that a worker that takes over knows it. */
export interface PeerRecord {
  readonly location: PeerUrl;
  readonly origin: Origin;
  readonly kind: PeerKind;
}

/** What the registry is told. */
interface RegistryOptions {
  /** Milliseconds after which a peer that was not heard of is forgotten, static ones aside. */
  readonly lifetime: number;
  /** Milliseconds on a clock that only goes forward. */
  readonly now?: () => number;
  /** At least 0, less than 1. */
  readonly random?: () => number;
}

/**
 * The table of peers.
 *
 * Its event `changed` tells of a peer that was believed or forgotten, or whose state, trouble, identity
 * or generation is another than before.
 */
export class Registry extends EventEmitter<{ changed: [peer: Peer] }> {
  readonly #lifetime: number;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #peers = new Map<string, Peer>();
  readonly #candidates = new Map<string, Peer>();
  readonly #hosts = new Map<string, number>();
  /** URLs that turned out to be this server's. */
  readonly #selves = new LRUCache<string, true>({ max: MAX_SELVES });

  constructor({ lifetime, now, random }: RegistryOptions) {
    super();
    this.#lifetime = lifetime;
    this.#now = now ?? ((): number => performance.now());
    this.#random = random ?? Math.random;
  }

  /** Adds a peer that is never forgotten. */
  addStatic(location: PeerUrl): Peer {
    const known = this.#peers.get(formatPeerUrl(location));
    if (known?.origin === "static") return known;
    if (known !== undefined) this.#delete(known);
    const peer = this.#insert(this.#peers, location, "static", "pacserve", "alive");
    this.emit("changed", peer);
    return peer;
  }

  /**
   * A server made itself known.
   *
   * @returns the peer when it should be asked now whether it is there; null when it is known to be, or
   * when there is no room for it.
   */
  heard(
    location: PeerUrl,
    origin: "nudge" | "announcement",
    kind: PeerKind = "pacserve",
  ): Peer | null {
    const url = formatPeerUrl(location);
    const known = this.#peers.get(url);
    if (known !== undefined && !this.#expired(known)) {
      if (known.state === "backoff") return known;
      known.lastSeen = this.#now();
      return null;
    }
    if (this.#candidates.has(url)) return null;
    if (known !== undefined) this.#delete(known);
    if (!this.#roomFor(location.host, origin)) return null;
    return this.#insert(this.#candidates, location, origin, kind, "candidate");
  }

  /** The peer answered as a peer does. */
  answered(peer: Peer, facts: PeerFacts): void {
    if (!this.has(peer)) return;
    const isNew = this.#candidates.get(peer.url) === peer;
    if (isNew) {
      // Where nothing is searched, nobody looks for those whose time is over.
      this.#forgetExpired();
      if (this.#peers.size >= BOUNDS.peers && !this.#makeRoom(peer)) return this.#delete(peer);
      this.#candidates.delete(peer.url);
      this.#peers.set(peer.url, peer);
    }
    const isChanged = isNew || peer.state !== "alive" || peer.trouble !== null ||
      peer.instance !== facts.instance || peer.generation !== facts.generation;
    peer.state = "alive";
    peer.lastSeen = this.#now();
    // Otherwise a peer that answers nudges and hangs later would be trusted anew each time.
    if (facts.isProof) peer.failures = 0;
    peer.trouble = null;
    peer.instance = facts.instance;
    peer.generation = facts.generation;
    peer.relays = facts.relays ?? false;
    if (facts.transfers !== null) {
      peer.transfers = facts.transfers;
      peer.transfersAt = peer.lastSeen;
    }
    peer.roundTrip = peer.roundTrip === null
      ? facts.roundTrip
      : peer.roundTrip * 0.7 + facts.roundTrip * 0.3;
    if (isChanged) this.emit("changed", peer);
  }

  /** The peer spoke of the generation of its index by itself. */
  spoke(peer: Peer, generation: number | null): void {
    if (peer.generation === generation) return;
    peer.generation = generation;
    this.emit("changed", peer);
  }

  /** The peer did not answer, or not as a peer does. A candidate is forgotten, a peer in backoff. */
  failed(peer: Peer, trouble: string): void {
    if (peer.state === "candidate") return this.remove(peer);
    const now = this.#now();
    // Several questions that fail together are one failure.
    if (peer.state === "backoff" && now < peer.backoffUntil) return;
    const isChanged = peer.state !== "backoff" || peer.trouble !== trouble;
    peer.state = "backoff";
    peer.trouble = trouble;
    peer.backoffUntil = now + backoffPause(peer.failures, PEER_BACKOFF);
    peer.failures++;
    peer.failedAt = now;
    if (isChanged) this.emit("changed", peer);
  }

  /** The peer turned out to be this server under another name: it is never a peer again. */
  isSelf(peer: Peer): void {
    this.#selves.set(peer.url, true);
    this.remove(peer);
  }

  /** True for a URL that turned out to be this server's. */
  isOwnUrl(url: string): boolean {
    return this.#selves.has(url);
  }

  /** A client was sent to the peer: until that says otherwise, it is sending a file more. */
  sentTo(peer: Peer): void {
    const now = this.#now();
    peer.transfers = transfersOf(peer, now) + 1;
    peer.transfersAt = now;
  }

  /** Forgets a peer. */
  remove(peer: Peer): void {
    this.#delete(peer);
  }

  /** True while the peer is in the table, as a candidate or more. */
  has(peer: Peer): boolean {
    return this.#peers.get(peer.url) === peer || this.#candidates.get(peer.url) === peer;
  }

  /** The peer with this URL, unless it is a candidate. */
  get(url: string): Peer | undefined {
    return this.#peers.get(url);
  }

  /** All peers but candidates, without those whose time is over. */
  all(): Peer[] {
    this.#forgetExpired();
    return [...this.#peers.values()];
  }

  /**
   * Whether the peer is alive, or was a moment ago: on a busy network many peers answer late now and
   * then, and all servers have to agree on who is there.
   */
  isThere(peer: Peer): boolean {
    if (peer.state === "alive") return true;
    return peer.lastSeen !== null && this.#now() - peer.lastSeen < BOUNDS.recent;
  }

  /**
   * Peers that may be asked now: those alive, and a few of those whose backoff is over, first those that
   * failed least often. So many that are dead cannot slow a search down.
   */
  askable(): Peer[] {
    const now = this.#now();
    const all = this.all();
    for (const peer of all) {
      if (peer.state === "alive" && now - peer.failedAt > BOUNDS.probation) peer.failures = 0;
    }
    const due = all.filter((peer) => peer.state === "backoff" && peer.backoffUntil <= now)
      .sort((one, other) => one.failures - other.failures);
    return [...all.filter(({ state }) => state === "alive"), ...due.slice(0, BOUNDS.due)];
  }

  /** The peers that are believed, static ones aside, for a worker that takes over. */
  export(): PeerRecord[] {
    return this.all()
      .filter((peer) => peer.origin !== "static")
      .map(({ location, origin, kind }) => ({ location, origin, kind }));
  }

  /** Takes over what {@link export} gave. */
  import(records: readonly PeerRecord[]): void {
    for (const { location, origin, kind } of records) {
      if (this.#peers.has(formatPeerUrl(location)) || this.#peers.size >= BOUNDS.peers) continue;
      const peer = this.#insert(this.#peers, location, origin, kind, "alive");
      peer.lastSeen = this.#now();
      this.emit("changed", peer);
    }
  }

  #insert(
    table: Map<string, Peer>,
    location: PeerUrl,
    origin: Origin,
    kind: PeerKind,
    state: Peer["state"],
  ): Peer {
    const peer: Peer = {
      url: formatPeerUrl(location),
      location,
      origin,
      kind,
      state,
      lastSeen: null,
      failures: 0,
      failedAt: 0,
      backoffUntil: 0,
      instance: null,
      generation: null,
      relays: false,
      transfers: 0,
      transfersAt: 0,
      roundTrip: null,
      trouble: null,
    };
    table.set(peer.url, peer);
    this.#countHost(location.host, 1);
    return peer;
  }

  #delete(peer: Peer): void {
    for (const table of [this.#peers, this.#candidates]) {
      if (table.get(peer.url) !== peer) continue;
      table.delete(peer.url);
      this.#countHost(peer.location.host, -1);
      this.emit("changed", peer);
    }
  }

  #countHost(host: string, change: 1 | -1): void {
    const count = (this.#hosts.get(host) ?? 0) + change;
    if (count > 0) this.#hosts.set(host, count);
    else this.#hosts.delete(host);
  }

  /** Makes room for a candidate: by chance, so that a flood cannot choose who is left. */
  #roomFor(host: string, origin: "nudge" | "announcement"): boolean {
    if ((this.#hosts.get(host) ?? 0) >= BOUNDS.perHost && !isLoopbackHost(host)) return false;
    if (this.#candidates.size < BOUNDS.candidates) return true;
    const replaceable = [...this.#candidates.values()].filter((candidate) =>
      origin === "nudge" || candidate.origin === "announcement"
    );
    const victim = replaceable[Math.floor(this.#random() * replaceable.length)];
    if (victim === undefined) return false;
    this.#delete(victim);
    return true;
  }

  /**
   * Makes room for a peer that has just answered: a peer goes that fails, else one of the host that has
   * most, if that is more than the new one's host has. So nobody keeps others out by filling the table.
   */
  #makeRoom({ location: { host } }: Peer): boolean {
    const removable = [...this.#peers.values()].filter(({ origin }) => origin !== "static");
    const failing = removable.filter(({ state }) => state === "backoff");
    const crowd = failing.length > 0 ? failing : this.#mostCrowded(removable, host);
    const victim = crowd[Math.floor(this.#random() * crowd.length)];
    if (victim !== undefined) this.#delete(victim);
    return victim !== undefined;
  }

  /** The peers of the host that has most of these; none if `host` has as many. */
  #mostCrowded(peers: readonly Peer[], host: string): Peer[] {
    const byHost = Map.groupBy(peers, ({ location }) => location.host);
    const [most = []] = [...byHost.values()].sort((one, other) => other.length - one.length);
    return most.length > (this.#hosts.get(host) ?? 0) ? most : [];
  }

  #expired(peer: Peer): boolean {
    return peer.origin !== "static" && peer.lastSeen !== null &&
      this.#now() - peer.lastSeen > this.#lifetime;
  }

  #forgetExpired(): void {
    for (const peer of this.#peers.values()) {
      if (this.#expired(peer)) this.#delete(peer);
    }
  }
}
