/**
 * Decides which servers are peers. It gets servers from discovery and from nudges, asks them if they are
 * there, and tells the peers about each change of this server's index.
 *
 * The registry stores the peers. Its event `changed` reports every change.
 */

import type { Log } from "../log.ts";
import { messageOf } from "../failure.ts";
import { isLinkLocal, isLoopbackHost } from "../http/address.ts";
import { NeighbourLimit, TokenBucket } from "../http/rate_limit.ts";
import type { PeersConfiguration } from "./configuration.ts";
import type { DiscoveryListener, Means, PeerKind } from "./discovery.ts";
import type { PublishedIndex } from "./index/published.ts";
import type { RemoteIndexes } from "./index/remote.ts";
import type { OwnNetwork, OwnServer } from "./own_server.ts";
import { formatPeerUrl, parsePeerUrl, type PeerUrl } from "./peer_url.ts";
import { ProbeQueue } from "./probe_queue.ts";
import type { Questions } from "./questions.ts";
import type { Peer, Registry } from "./registry.ts";

/**
 * The number of nudges of one neighbour that make this server probe it. All neighbours together may cause
 * more than the queue of probes sends in a second; the rest wait in the queue.
 */
const PROBES_FOR_NEIGHBOUR = { burst: 100, perSecond: 5 };
const PROBES_FOR_NEIGHBOURS = { burst: 1_000, perSecond: 100 };

/**
 * How often a known peer is probed because it was found again. This limits the probes of one that restarts
 * repeatedly, or in whose name another host sends announcements.
 */
const PROBES_FOR_KNOWN = { burst: 12, perSecond: 1 / 15 };

/** The generation of this server's index that a peer was last told about. */
interface Told {
  /** The instance of the peer that was told; null until it answers. */
  instance: string | null;
  /** The generation; 0 when the peer was told that there is no index yet. */
  readonly generation: number;
}

/** The objects that membership uses. */
interface MembershipParts {
  readonly configuration: Pick<PeersConfiguration, "defaultPort" | "ipv6">;
  readonly registry: Registry;
  readonly questions: Questions;
  readonly published: PublishedIndex;
  readonly indexes: RemoteIndexes;
  readonly network: OwnNetwork;
  readonly log: Log;
}

/** Accepts servers as peers, and keeps their state up to date. */
export class Membership implements DiscoveryListener {
  readonly #parts: MembershipParts;
  readonly #probes: ProbeQueue;
  readonly #probeLimit = new NeighbourLimit(PROBES_FOR_NEIGHBOUR, PROBES_FOR_NEIGHBOURS);
  readonly #told = new WeakMap<Peer, Told>();
  /** The limits {@link PROBES_FOR_KNOWN} of the known peers. */
  readonly #again = new WeakMap<Peer, TokenBucket>();
  /** The last trouble of each peer that was logged. */
  readonly #troubles = new WeakMap<Peer, string>();
  #admission: OwnServer["admission"] | null = null;
  #port = 0;
  #uri = "";

  constructor(parts: MembershipParts) {
    this.#parts = parts;
    this.#probes = new ProbeQueue(parts.registry, (peer) => this.#probe(peer));
    parts.registry.on("changed", (peer) => this.#changed(peer));
    parts.published.on("changed", () => this.#tellPeers());
  }

  /** Sets the rules by which hosts may become peers. */
  admit(admission: OwnServer["admission"]): void {
    this.#admission = admission;
  }

  /**
   * Starts. Must be called when this server listens.
   *
   * @param port the TCP port of this server.
   * @param uri the URI of this server in nudges.
   */
  start(port: number, uri: string): void {
    this.#port = port;
    this.#uri = uri;
    const { registry } = this.#parts;
    // The peers of the previous worker may be in networks that are no longer allowed.
    for (const peer of registry.all()) {
      if (peer.origin !== "static" && !this.#isAllowed(peer.location)) registry.remove(peer);
    }
  }

  /** Stops all probes. */
  stop(): void {
    this.#probes.stop();
  }

  /** Adds a peer that the user named. */
  named(location: PeerUrl): void {
    if (this.#parts.registry.isOwnUrl(formatPeerUrl(location))) return;
    this.#probes.add(this.#parts.registry.addStatic(location));
  }

  /**
   * Probes a server that was found on the network, because any host can forge an announcement. A known peer
   * is probed, too: it may have been restarted, and then it does not know this server.
   */
  found(location: PeerUrl, kind: PeerKind, means?: Means): void {
    const known = this.#heard(location, "announcement", kind, means);
    if (known !== null && this.#mayAskAgain(known)) this.#probes.add(known);
  }

  /** Notes that a server that was found is still there. */
  seen(location: PeerUrl, kind: PeerKind, means?: Means): void {
    this.#heard(location, "announcement", kind, means);
  }

  /** Probes a server that seems to be gone, because any host can forge such a message. */
  lost(location: PeerUrl): void {
    const known = this.#parts.registry.get(formatPeerUrl(location));
    if (known?.state === "alive" && this.#mayAskAgain(known)) this.#probes.add(known);
  }

  /**
   * Handles a nudge of a server at this IP address. The host in its `uri` is ignored.
   *
   * @param instance the identity of the server; null for a server of the original.
   * @param generation the generation of its index; null when it has none.
   */
  nudged(
    uri: string,
    source: string,
    instance: string | null,
    generation: number | null,
  ): void {
    const { configuration, registry } = this.#parts;
    const given = parsePeerUrl(uri, configuration.defaultPort);
    if (given === null) return;
    const location = { ...given, host: source };
    const known = registry.get(formatPeerUrl(location));
    // The server was restarted, or another server has its address now.
    const isOther = instance !== null && known !== undefined && known.instance !== instance;
    const isToBeAsked = known?.state !== "alive" || isOther;
    if (isToBeAsked && !this.#probeLimit.take(source)) return;
    this.#heard(location, "nudge", "pacserve");
    if (known === undefined || instance === null || !registry.has(known)) return;
    if (isOther) this.#probes.add(known);
    else registry.spoke(known, generation);
  }

  /** @returns the peer, if it is known and this does not cause a probe. */
  #heard(
    location: PeerUrl,
    origin: "nudge" | "announcement",
    kind: PeerKind,
    means?: Means,
  ): Peer | null {
    const { registry, indexes } = this.#parts;
    if (!this.#isAllowed(location) || this.#isOwn(location)) return null;
    const peer = registry.heard(location, origin, kind, means);
    if (peer !== null) {
      this.#probes.add(peer);
      return null;
    }
    const known = registry.get(formatPeerUrl(location)) ?? null;
    if (known !== null) indexes.refresh(known);
    return known;
  }

  #mayAskAgain(peer: Peer): boolean {
    const fresh = (): TokenBucket => new TokenBucket(PROBES_FOR_KNOWN, () => performance.now());
    return this.#again.getOrInsertComputed(peer, fresh).take();
  }

  #isAllowed({ host, path }: PeerUrl): boolean {
    // Servers answer messages only at their root. With another path, a sender could make us send requests
    // of its choice.
    return path === "/" && this.#isUsable(host) && this.#admission?.allowsPeer(host) === true;
  }

  /** Returns false for a link-local IPv6 address: it needs a zone, which clients do not support in URLs. */
  #isUsable(host: string): boolean {
    if (!host.includes(":")) return true;
    return this.#parts.configuration.ipv6 && !isLinkLocal(host);
  }

  #isOwn(location: PeerUrl): boolean {
    const { registry, network } = this.#parts;
    const { host, port } = location;
    return registry.isOwnUrl(formatPeerUrl(location)) ||
      (port === this.#port && (isLoopbackHost(host) || network.isOwn(host)));
  }

  #changed(peer: Peer): void {
    const { registry, published, log } = this.#parts;
    if ((this.#troubles.get(peer) ?? null) !== peer.trouble) {
      if (peer.trouble === null) this.#troubles.delete(peer);
      else this.#troubles.set(peer, peer.trouble);
      log.debug(`peer ${peer.url}: ${peer.trouble ?? "answers again"}`);
    }
    if (registry.isOwnUrl(peer.url)) log.debug(`${peer.url} is this server itself`);
    if (registry.has(peer) && this.#isBehind(peer, published.generation)) this.#probes.add(peer);
  }

  /** Tells the peers about a new generation. A peer in backoff is told when it answers again. */
  #tellPeers(): void {
    for (const peer of this.#parts.registry.askable()) {
      const isOriginal = peer.roundTrip !== null && peer.instance === null;
      if (!isOriginal && peer.kind !== "pacredir") this.#probes.add(peer);
    }
  }

  /**
   * Returns true when a peer that has just answered was not told about this generation: the index changed
   * since the last message, the message failed, or the peer was restarted. Returns false for servers of the
   * original, which do not use indexes.
   */
  #isBehind(peer: Peer, generation: number): boolean {
    if (peer.state !== "alive" || peer.instance === null || generation === 0) return false;
    const told = this.#told.get(peer);
    if (told === undefined) return true;
    told.instance ??= peer.instance;
    return told.instance !== peer.instance || told.generation < generation;
  }

  async #probe(peer: Peer): Promise<void> {
    const { questions, published, log } = this.#parts;
    const isNew = peer.state === "candidate";
    this.#told.set(peer, { instance: null, generation: published.generation });
    try {
      if (peer.kind === "pacredir") await questions.isThere(peer);
      else await questions.nudge(peer, this.#uri);
      if (isNew) log.info(`found peer ${peer.url}`);
    } catch (error) {
      this.#told.delete(peer);
      // The trouble of a known peer is logged already.
      if (isNew) log.debug(`peer ${peer.url}: ${messageOf(error)}`);
    }
  }
}
