/**
 * Decides which servers are peers. It takes in what discovery finds and what nudges say, asks those
 * servers whether they are there, and tells the peers of each change of this server's index.
 *
 * What is known of the peers is in the registry, whose event `changed` tells of all that comes of it.
 */

import type { Log } from "../log.ts";
import { messageOf } from "../failure.ts";
import { isLoopbackHost } from "../http/address.ts";
import { NeighbourLimit, TokenBucket } from "../http/rate_limit.ts";
import type { PeersConfiguration } from "./configuration.ts";
import type { DiscoveryListener, PeerKind } from "./discovery.ts";
import type { PublishedIndex } from "./index/published.ts";
import type { RemoteIndexes } from "./index/remote.ts";
import type { OwnNetwork, OwnServer } from "./own_server.ts";
import { formatPeerUrl, parsePeerUrl, type PeerUrl } from "./peer_url.ts";
import { ProbeQueue } from "./probe_queue.ts";
import type { Questions } from "./questions.ts";
import type { Peer, Registry } from "./registry.ts";

/**
 * Nudges by which one neighbour can make this server ask it whether it is there. Together they may be
 * more than are asked in a second: the rest wait in the queue of probes.
 */
const PROBES_FOR_NEIGHBOUR = { burst: 100, perSecond: 5 };
const PROBES_FOR_NEIGHBOURS = { burst: 1_000, perSecond: 100 };

/**
 * A peer that is known is asked because it was found so many times, and then once in so many seconds:
 * one that starts again and again, or in whose name somebody else speaks.
 */
const PROBES_FOR_KNOWN = { burst: 4, perSecond: 1 / 15 };

/** What a peer was told of this server's index. */
interface Told {
  /** The instance that was told; null until it answers. */
  instance: string | null;
  /** 0: it was told that there is no index yet. */
  readonly generation: number;
}

/** What membership is made from. */
interface MembershipParts {
  readonly configuration: Pick<PeersConfiguration, "defaultPort" | "ipv6">;
  readonly registry: Registry;
  readonly questions: Questions;
  readonly published: PublishedIndex;
  readonly indexes: RemoteIndexes;
  readonly network: OwnNetwork;
  readonly log: Log;
}

/** Lets peers in, and keeps up with them. */
export class Membership implements DiscoveryListener {
  readonly #parts: MembershipParts;
  readonly #probes: ProbeQueue;
  readonly #probeLimit = new NeighbourLimit(PROBES_FOR_NEIGHBOUR, PROBES_FOR_NEIGHBOURS);
  readonly #told = new WeakMap<Peer, Told>();
  /** How often a peer that is known may be asked because it was found again. */
  readonly #again = new WeakMap<Peer, TokenBucket>();
  /** What was said of each peer in the log. */
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

  /** Says who may be a peer. */
  admit(admission: OwnServer["admission"]): void {
    this.#admission = admission;
  }

  /**
   * Begins, once this server listens.
   *
   * @param port of TCP.
   * @param uri by which it names itself.
   */
  start(port: number, uri: string): void {
    this.#port = port;
    this.#uri = uri;
    const { registry } = this.#parts;
    // Those that a worker before this one knew may be in networks that are allowed no more.
    for (const peer of registry.all()) {
      if (peer.origin !== "static" && !this.#isAllowed(peer.location)) registry.remove(peer);
    }
  }

  /** Asks nobody any more. */
  stop(): void {
    this.#probes.stop();
  }

  /** The user named this peer. */
  named(location: PeerUrl): void {
    if (this.#parts.registry.isOwnUrl(formatPeerUrl(location))) return;
    this.#probes.add(this.#parts.registry.addStatic(location));
  }

  /**
   * A server was found on the network; anybody can make it look so. One that is known may have been
   * started anew, and know nobody.
   */
  found(location: PeerUrl, kind: PeerKind): void {
    const known = this.#heard(location, "announcement", kind);
    if (known !== null && this.#mayAskAgain(known)) this.#probes.add(known);
  }

  /** A server that was found is still there. */
  seen(location: PeerUrl, kind: PeerKind): void {
    this.#heard(location, "announcement", kind);
  }

  /** A server seems to be gone: it is asked, because anybody can say so. */
  lost(location: PeerUrl): void {
    const known = this.#parts.registry.get(formatPeerUrl(location));
    if (known?.state === "alive" && this.#mayAskAgain(known)) this.#probes.add(known);
  }

  /**
   * A server at this IP address says that it is `uri`, whose host is not believed.
   *
   * @param instance its identity; null for a server of the original.
   * @param generation of its index; null for none.
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
    // It was started anew, or is not the server that it was taken for.
    const isOther = instance !== null && known !== undefined && known.instance !== instance;
    const isToBeAsked = known?.state !== "alive" || isOther;
    if (isToBeAsked && !this.#probeLimit.take(source)) return;
    this.#heard(location, "nudge", "pacserve");
    if (known === undefined || instance === null || !registry.has(known)) return;
    if (isOther) this.#probes.add(known);
    else registry.spoke(known, generation);
  }

  /** @returns the peer, if it is known and was not asked because of this. */
  #heard(location: PeerUrl, origin: "nudge" | "announcement", kind: PeerKind): Peer | null {
    const { registry, indexes } = this.#parts;
    if (!this.#isAllowed(location) || this.#isOwn(location)) return null;
    const peer = registry.heard(location, origin, kind);
    if (peer !== null) {
      this.#probes.add(peer);
      return null;
    }
    const known = registry.get(formatPeerUrl(location)) ?? null;
    if (known !== null) indexes.refresh(known);
    return known;
  }

  #mayAskAgain(peer: Peer): boolean {
    const bucket = this.#again.get(peer) ??
      new TokenBucket(PROBES_FOR_KNOWN, () => performance.now());
    this.#again.set(peer, bucket);
    return bucket.take();
  }

  #isAllowed({ host, path }: PeerUrl): boolean {
    // Servers answer at their root: a path of the sender's choice would make us ask others for it.
    return path === "/" && this.#isUsable(host) && this.#admission?.allowsPeer(host) === true;
  }

  /** A link-local IPv6 address needs a zone, which no URL that clients understand can bear. */
  #isUsable(host: string): boolean {
    if (!host.includes(":")) return true;
    return this.#parts.configuration.ipv6 && !/^fe[89ab]/i.test(host);
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

  /** Tells the peers of a new generation. One in backoff is told when it answers again. */
  #tellPeers(): void {
    for (const peer of this.#parts.registry.askable()) {
      const isOriginal = peer.roundTrip !== null && peer.instance === null;
      if (!isOriginal && peer.kind !== "pacredir") this.#probes.add(peer);
    }
  }

  /**
   * Whether a peer that has just answered does not know of this generation: the index changed while
   * word was on its way or could not come, or the peer was started anew. Servers of the original need
   * not know.
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
      // What is wrong with a peer that is known stands in the log already.
      if (isNew) log.debug(`peer ${peer.url}: ${messageOf(error)}`);
    }
  }
}
