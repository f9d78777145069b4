/**
 * Who is on the LAN.
 *
 * A peer that only announced itself is a *candidate*: anybody can send such a datagram, so it must
 * answer before it is believed. One that answered is *alive*. One that failed is *set aside* for a
 * pause that grows each time, and comes back when it answers. The table is bounded, and candidates
 * never push out a peer that works.
 */

import { baseOf, isLoopback, type PeerAddress } from "./address.ts";
import { transfersOf } from "./balance.ts";

/** How much is kept. */
export const BOUNDS = {
  peers: 1024,
  candidates: 256,
  /** Peers and candidates of one host, unless it is this host. */
  perHost: 16,
  /** Milliseconds of the first pause; each one is twice the one before. */
  firstPause: 2_000,
  longestPause: 300_000,
} as const;

/** How a peer became known. A nudge comes over TCP, so the address in it is proven. */
export type Origin = "static" | "nudge" | "announcement";

/** A server on the LAN. */
export interface Peer {
  /** Its URL, with a slash at the end. */
  readonly base: string;
  readonly address: PeerAddress;
  readonly origin: Origin;
  state: "candidate" | "alive" | "set aside";
  /** When it was last heard or answered, on the registry's clock; null for never. */
  lastSeen: number | null;
  /** Failures in a row. */
  failures: number;
  /** Set aside until then. */
  pausedUntil: number;
  /** Identity of the running server, if it is one of ours. */
  instance: string | null;
  /** Files that it was sending at `transfersAt`, on the registry's clock: see {@link transfersOf}. */
  transfers: number;
  transfersAt: number;
  /** Milliseconds, smoothed; null before the first answer. */
  roundTrip: number | null;
  /** Why it was set aside. */
  trouble: string | null;
}

/** What an answer tells about a peer. */
export interface PeerFacts {
  readonly instance: string | null;
  readonly transfers: number | null;
  /** Milliseconds. */
  readonly roundTrip: number;
}

/** A peer as plain data, so that a worker that takes over knows it. */
export interface PeerRecord {
  readonly address: PeerAddress;
  readonly origin: Origin;
}

/** What the registry is told. */
export interface RegistryOptions {
  /** Milliseconds on a clock that only goes forward. */
  readonly now: () => number;
  /** Milliseconds after which a peer that was not heard of is forgotten, static ones aside. */
  readonly lifetime: number;
  /** At least 0, less than 1. */
  readonly random: () => number;
  /** A peer's trouble is another than before; null: it is over. */
  readonly troubled?: (peer: Peer, trouble: string | null) => void;
  /** A peer is in the table no more: what is kept of it is of no use. */
  readonly forgotten?: (peer: Peer) => void;
  /** What {@link Registry.export} gives is another than before. */
  readonly changed?: () => void;
}

/** The table of peers. */
export class Registry {
  readonly #options: RegistryOptions;
  readonly #peers = new Map<string, Peer>();
  readonly #candidates = new Map<string, Peer>();
  readonly #hosts = new Map<string, number>();

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /** Number of peers that were believed at some time and are still remembered. */
  get size(): number {
    return this.#peers.size;
  }

  /** Number of those that announced themselves and did not answer yet. */
  get candidateCount(): number {
    return this.#candidates.size;
  }

  /** Adds a peer that is never forgotten. */
  addStatic(address: PeerAddress): Peer {
    const known = this.#peers.get(baseOf(address));
    if (known?.origin === "static") return known;
    if (known !== undefined) this.#delete(known);
    return this.#insert(this.#peers, address, "static", "alive");
  }

  /**
   * A server made itself known.
   *
   * @returns the peer when it should be asked now whether it is there; null when it is known to be, or
   * when there is no room for it.
   */
  heard(address: PeerAddress, origin: "nudge" | "announcement"): Peer | null {
    const base = baseOf(address);
    const known = this.#peers.get(base);
    if (known !== undefined && !this.#expired(known)) {
      if (known.state === "set aside") return known;
      known.lastSeen = this.#options.now();
      return null;
    }
    if (this.#candidates.has(base)) return null;
    if (known !== undefined) this.#delete(known);
    if (!this.#roomFor(address.host, origin)) return null;
    return this.#insert(this.#candidates, address, origin, "candidate");
  }

  /** The peer answered as a peer does. */
  answered(peer: Peer, facts: PeerFacts): void {
    if (this.#candidates.get(peer.base) === peer) {
      // Where nothing is searched, nobody looks for those whose time is over.
      this.#forgetExpired();
      if (this.#peers.size >= BOUNDS.peers) return this.#delete(peer);
      this.#candidates.delete(peer.base);
      this.#peers.set(peer.base, peer);
      this.#options.changed?.();
    }
    peer.state = "alive";
    peer.lastSeen = this.#options.now();
    peer.failures = 0;
    this.#note(peer, null);
    peer.instance = facts.instance;
    if (facts.transfers !== null) {
      peer.transfers = facts.transfers;
      peer.transfersAt = peer.lastSeen;
    }
    peer.roundTrip = peer.roundTrip === null
      ? facts.roundTrip
      : peer.roundTrip * 0.7 + facts.roundTrip * 0.3;
  }

  /** The peer did not answer, or not as a peer does. A candidate is forgotten, a peer set aside. */
  failed(peer: Peer, trouble: string): void {
    if (peer.state === "candidate") return this.remove(peer);
    const now = this.#options.now();
    // Several questions that fail together are one failure.
    if (peer.state === "set aside" && now < peer.pausedUntil) return;
    peer.state = "set aside";
    this.#note(peer, trouble);
    const pause = BOUNDS.firstPause * 2 ** Math.min(peer.failures, 16);
    peer.pausedUntil = now + Math.min(pause, BOUNDS.longestPause);
    peer.failures++;
  }

  #note(peer: Peer, trouble: string | null): void {
    if (peer.trouble === trouble) return;
    peer.trouble = trouble;
    this.#options.troubled?.(peer, trouble);
  }

  /** A client was sent to the peer: until that says otherwise, it is sending a file more. */
  sentTo(peer: Peer): void {
    const now = this.#options.now();
    peer.transfers = transfersOf(peer, now) + 1;
    peer.transfersAt = now;
  }

  /** Forgets a peer. */
  remove(peer: Peer): void {
    this.#delete(peer);
  }

  /** True while the peer is in the table, as a candidate or more. */
  has(peer: Peer): boolean {
    return this.#peers.get(peer.base) === peer || this.#candidates.get(peer.base) === peer;
  }

  /** The peer with this URL, unless it is a candidate. */
  get(base: string): Peer | undefined {
    return this.#peers.get(base);
  }

  /** All peers but candidates, without those whose time is over. */
  all(): Peer[] {
    this.#forgetExpired();
    return [...this.#peers.values()];
  }

  /** Peers that may be asked now: those alive, and those set aside whose pause is over. */
  askable(): Peer[] {
    const now = this.#options.now();
    return this.all().filter((peer) => peer.state === "alive" || peer.pausedUntil <= now);
  }

  /** The peers that are believed, static ones aside, for a worker that takes over. */
  export(): PeerRecord[] {
    return this.all()
      .filter((peer) => peer.origin !== "static")
      .map((peer) => ({ address: peer.address, origin: peer.origin }));
  }

  /** Takes over what {@link export} gave. */
  import(records: readonly PeerRecord[]): void {
    for (const { address, origin } of records) {
      const base = baseOf(address);
      if (this.#peers.has(base) || this.#peers.size >= BOUNDS.peers) continue;
      const peer = this.#insert(this.#peers, address, origin, "alive");
      peer.lastSeen = this.#options.now();
    }
  }

  #insert(
    table: Map<string, Peer>,
    address: PeerAddress,
    origin: Origin,
    state: Peer["state"],
  ): Peer {
    const peer: Peer = {
      base: baseOf(address),
      address,
      origin,
      state,
      lastSeen: null,
      failures: 0,
      pausedUntil: 0,
      instance: null,
      transfers: 0,
      transfersAt: 0,
      roundTrip: null,
      trouble: null,
    };
    table.set(peer.base, peer);
    this.#countHost(address.host, 1);
    return peer;
  }

  #delete(peer: Peer): void {
    for (const table of [this.#peers, this.#candidates]) {
      if (table.get(peer.base) !== peer) continue;
      table.delete(peer.base);
      this.#countHost(peer.address.host, -1);
      this.#options.forgotten?.(peer);
      if (table === this.#peers) this.#options.changed?.();
    }
  }

  #countHost(host: string, change: 1 | -1): void {
    const count = (this.#hosts.get(host) ?? 0) + change;
    if (count > 0) this.#hosts.set(host, count);
    else this.#hosts.delete(host);
  }

  /** Makes room for a candidate: by chance, so that a flood cannot choose who is left. */
  #roomFor(host: string, origin: "nudge" | "announcement"): boolean {
    if ((this.#hosts.get(host) ?? 0) >= BOUNDS.perHost && !isLoopback(host)) return false;
    if (this.#candidates.size < BOUNDS.candidates) return true;
    const replaceable = [...this.#candidates.values()].filter((candidate) =>
      origin === "nudge" || candidate.origin === "announcement"
    );
    const victim = replaceable[Math.floor(this.#options.random() * replaceable.length)];
    if (victim === undefined) return false;
    this.#delete(victim);
    return true;
  }

  #expired(peer: Peer): boolean {
    return peer.origin !== "static" && peer.lastSeen !== null &&
      this.#options.now() - peer.lastSeen > this.#options.lifetime;
  }

  #forgetExpired(): void {
    for (const peer of this.#peers.values()) {
      if (this.#expired(peer)) this.#delete(peer);
    }
  }
}
