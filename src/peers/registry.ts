/**
 * The table of the servers on the LAN.
 *
 * A peer that only announced itself is a *candidate*. Any host can send such a datagram, therefore it must
 * answer a probe before it is used. One that answered is *alive*. One that failed is in *backoff*: it is not
 * asked for a time that grows with each failure, and is alive again when it answers. The table is bounded,
 * and a candidate never replaces a working peer.
 */

import { EventEmitter } from "node:events";
import { backoffPause, type BackoffRange } from "../backoff.ts";
import { BoundedMap } from "../bounded_map.ts";
import { isLoopbackHost } from "../http/address.ts";
import { transfersOf } from "./balance.ts";
import type { Means, PeerKind } from "./discovery.ts";
import { formatPeerUrl, type PeerUrl } from "./peer_url.ts";

/** The bounds of the table. */
const BOUNDS = {
  peers: 1024,
  candidates: 256,
  /** Greatest number of peers and candidates of one host, unless it is this host. */
  perHost: 16,
  /** Greatest number of peers whose backoff is over that one search asks. */
  due: 8,
  /** Milliseconds after its last answer for which a peer in backoff is still assumed to be there. */
  recent: 10_000,
  /** Milliseconds without a failure after which a probation ends. */
  probation: 600_000,
} as const;

/** The backoff of a peer that fails, in milliseconds. */
const PEER_BACKOFF: BackoffRange = { first: 2_000, max: 300_000 };

/** The greatest number of stored URLs that turned out to be this server's. */
const MAX_SELVES = 256;

/** How a peer was found. A nudge comes over TCP, which proves its address. */
type Origin = "static" | "nudge" | "announcement";

/** A server on the LAN. Its times are on the registry's clock. */
export class Peer {
  /** The URL, with a slash at the end. */
  readonly url: string;
  /** The means of discovery by which it was found; empty if the user named it, or if it sent a nudge. */
  readonly means: Set<Means> = new Set();
  /** The time of its last announcement or answer; null for never. */
  lastSeen: number | null = null;
  /** Number of failures since it last confirmed a file, or in the last minutes. Above 0 it is on probation. */
  failures = 0;
  /** The time of its last failure. */
  failedAt = 0;
  /** The time when its backoff ends. */
  backoffUntil = 0;
  /** Identity of the running server; null for an original and for pacredir. */
  instance: string | null = null;
  /** The last generation of its index that it reported; null for none. */
  generation: number | null = null;
  /** True when its last answer said that it relays; then it can be a tracker. */
  relays = false;
  /** Number of files that it was sending at `transfersAt`: see {@link transfersOf}. */
  transfers = 0;
  transfersAt = 0;
  /** Smoothed round trip time in milliseconds; null before the first answer. */
  roundTrip: number | null = null;
  /** The reason why it is in backoff. */
  trouble: string | null = null;

  /** @param location the parts of the URL. */
  constructor(
    readonly location: PeerUrl,
    readonly origin: Origin,
    readonly kind: PeerKind,
    public state: "candidate" | "alive" | "backoff",
  ) {
    this.url = formatPeerUrl(location);
  }
}

/** The facts about a peer in an answer. */
interface PeerFacts {
  readonly instance: string | null;
  /** Generation of its index; null for none. */
  readonly generation: number | null;
  readonly transfers: number | null;
  /** True when it relays; by default it does not. */
  readonly relays?: boolean;
  /** Round trip time in milliseconds. */
  readonly roundTrip: number;
  /** True when it confirmed a file at its exact URL. Only this ends a probation at once. */
  readonly isProof: boolean;
}

/** A peer as plain data, for the worker that replaces this one. */
export interface PeerRecord {
  readonly location: PeerUrl;
  readonly origin: Origin;
  readonly kind: PeerKind;
}

/** The settings of the registry. */
interface RegistryOptions {
  /**
   * Milliseconds after its last announcement or answer after which a peer is forgotten, unless it is
   * static.
   */
  readonly lifetime: number;
  /** Returns the time in milliseconds on a clock that only goes forward. */
  readonly now?: () => number;
  /** Returns at least 0, less than 1. */
  readonly random?: () => number;
}

/**
 * The table of peers.
 *
 * Its event `changed` is emitted when a peer was accepted or forgotten, or when its state, trouble, identity
 * or generation has changed.
 */
export class Registry extends EventEmitter<{ changed: [peer: Peer] }> {
  readonly #lifetime: number;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #peers = new Map<string, Peer>();
  readonly #candidates = new Map<string, Peer>();
  readonly #hosts = new Map<string, number>();
  /** URLs that turned out to be this server's. */
  readonly #selves = new BoundedMap<string, true>(MAX_SELVES);

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
   * Must be called when a server announced itself.
   *
   * @returns the peer when it should be probed now; null when it is known to be there, or when there is no
   * room for it.
   */
  heard(
    location: PeerUrl,
    origin: "nudge" | "announcement",
    kind: PeerKind = "pacserve",
    means: Means | null = null,
  ): Peer | null {
    const url = formatPeerUrl(location);
    const known = this.#peers.get(url);
    if (means !== null) (known ?? this.#candidates.get(url))?.means.add(means);
    if (known !== undefined && !this.#expired(known)) {
      if (known.state === "backoff") return known;
      known.lastSeen = this.#now();
      return null;
    }
    if (this.#candidates.has(url)) return null;
    if (known !== undefined) this.#delete(known);
    if (!this.#roomFor(location.host, origin)) return null;
    const candidate = this.#insert(this.#candidates, location, origin, kind, "candidate");
    if (means !== null) candidate.means.add(means);
    return candidate;
  }

  /** Must be called when a peer gave a valid answer. */
  answered(peer: Peer, facts: PeerFacts): void {
    if (!this.has(peer)) return;
    const isNew = this.#candidates.get(peer.url) === peer;
    if (isNew) {
      // Forget expired peers here, too: without searches nothing else does it.
      this.#forgetExpired();
      if (this.#peers.size >= BOUNDS.peers && !this.#makeRoom(peer)) return this.#delete(peer);
      this.#candidates.delete(peer.url);
      this.#peers.set(peer.url, peer);
    }
    const isChanged = isNew || peer.state !== "alive" || peer.trouble !== null ||
      peer.instance !== facts.instance || peer.generation !== facts.generation;
    peer.state = "alive";
    peer.lastSeen = this.#now();
    // Not after every answer: a peer that answers nudges but hangs later would be trusted again each time.
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

  /** Must be called when a peer reported the generation of its index by itself. */
  spoke(peer: Peer, generation: number | null): void {
    if (peer.generation === generation) return;
    peer.generation = generation;
    this.emit("changed", peer);
  }

  /**
   * Must be called when a peer gave no valid answer. A candidate is forgotten, and a peer is put in
   * backoff.
   */
  failed(peer: Peer, trouble: string): void {
    if (peer.state === "candidate") return this.remove(peer);
    const now = this.#now();
    // Count several questions that fail together as one failure.
    if (peer.state === "backoff" && now < peer.backoffUntil) return;
    const isChanged = peer.state !== "backoff" || peer.trouble !== trouble;
    peer.state = "backoff";
    peer.trouble = trouble;
    peer.backoffUntil = now + backoffPause(peer.failures, PEER_BACKOFF);
    peer.failures++;
    peer.failedAt = now;
    if (isChanged) this.emit("changed", peer);
  }

  /**
   * Must be called when a peer turned out to be this server under another name. It never becomes a peer
   * again.
   */
  isSelf(peer: Peer): void {
    this.#selves.set(peer.url, true);
    this.remove(peer);
  }

  /** True for a URL that turned out to be this server's. */
  isOwnUrl(url: string): boolean {
    return this.#selves.has(url);
  }

  /**
   * Must be called when a client was redirected to the peer. Counts one more transfer until the peer
   * reports a number.
   */
  sentTo(peer: Peer): void {
    const now = this.#now();
    peer.transfers = transfersOf(peer, now) + 1;
    peer.transfersAt = now;
  }

  /** Forgets a peer. */
  remove(peer: Peer): void {
    this.#delete(peer);
  }

  /** True while the peer is in the table, even as a candidate. */
  has(peer: Peer): boolean {
    return this.#peers.get(peer.url) === peer || this.#candidates.get(peer.url) === peer;
  }

  /** Returns the peer with this URL, unless it is a candidate. */
  get(url: string): Peer | undefined {
    return this.#peers.get(url);
  }

  /** Returns all peers except candidates and expired ones. */
  all(): Peer[] {
    this.#forgetExpired();
    return [...this.#peers.values()];
  }

  /**
   * Returns true when the peer is alive, or was a moment ago. On a busy network many peers answer late from
   * time to time, and all servers have to agree on which peers are there.
   */
  isThere(peer: Peer): boolean {
    if (peer.state === "alive") return true;
    return peer.lastSeen !== null && this.#now() - peer.lastSeen < BOUNDS.recent;
  }

  /**
   * Returns the peers that may be asked now: those alive, and a few whose backoff is over, the ones with the
   * fewest failures first. Therefore even many dead peers cannot slow down a search.
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

  /** Returns all peers except static ones and candidates, for the worker that replaces this one. */
  export(): PeerRecord[] {
    return this.all()
      .filter((peer) => peer.origin !== "static")
      .map(({ location, origin, kind }) => ({ location, origin, kind }));
  }

  /** Restores the peers that {@link export} returned. */
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
    const peer = new Peer(location, origin, kind, state);
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

  /** Makes room for a candidate by removing a random one, so that a flood cannot choose which ones remain. */
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
   * Makes room for a peer that has just answered. It removes a peer that fails, else one of the host with
   * most peers, if the host of the new one has fewer. Therefore no host can keep others out by filling the
   * table.
   */
  #makeRoom({ location: { host } }: Peer): boolean {
    const removable = [...this.#peers.values()].filter(({ origin }) => origin !== "static");
    const failing = removable.filter(({ state }) => state === "backoff");
    const crowd = failing.length > 0 ? failing : this.#mostCrowded(removable, host);
    const victim = crowd[Math.floor(this.#random() * crowd.length)];
    if (victim !== undefined) this.#delete(victim);
    return victim !== undefined;
  }

  /** Returns the peers of the host that has most of these; none if `host` has as many. */
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
