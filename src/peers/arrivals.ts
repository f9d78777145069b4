/** Who makes itself known to this server, and whether that is to be followed up. */

import { NeighbourLimit } from "../http/rate_limit.ts";
import { baseOf, isLoopback, parsePeerAddress, type PeerAddress } from "./address.ts";
import { parseAnnouncement } from "./announcement.ts";
import type { PeersConfiguration } from "./configuration.ts";
import type { Peer, Registry } from "./registry.ts";

/** How long what is known of this host's own addresses may be used, in milliseconds. */
const ADDRESSES_LAST = 5_000;

/** Most addresses remembered as this server's own. */
const MOST_SELVES = 256;

/**
 * Nudges by which one neighbour can make this server ask it whether it is there. Together they may be
 * more than are asked in a second: those who wait are asked in turn.
 */
const PROBES_FOR_NEIGHBOUR = { burst: 100, perSecond: 5 };
const PROBES_FOR_NEIGHBOURS = { burst: 1_000, perSecond: 100 };

/** What arrivals need. */
export interface ArrivalsOptions {
  readonly configuration: PeersConfiguration;
  readonly registry: Registry;
  /** Whether a server at this IP address is believed that it is a peer. */
  readonly allowsPeer: (address: string) => boolean;
  /** A peer that should be asked whether it is there. */
  readonly introduce: (peer: Peer) => void;
  /** A peer that is known announced itself again. */
  readonly again: (peer: Peer) => void;
}

/** Takes in announcements and nudges. */
export class Arrivals {
  readonly #options: ArrivalsOptions;
  /** Addresses that turned out to be this server's. */
  readonly #selves = new Set<string>();
  readonly #probeLimit = new NeighbourLimit(PROBES_FOR_NEIGHBOUR, PROBES_FOR_NEIGHBOURS);
  #own: { readonly read: number; readonly hosts: ReadonlySet<string> } | null = null;
  #port = 0;

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  /** Says on which TCP port this server listens. */
  listensOn(port: number): void {
    this.#port = port;
  }

  /** A datagram came in from this IP address. */
  announced(datagram: Uint8Array, source: string): void {
    const { program, defaultPort } = this.#options.configuration;
    const address = parseAnnouncement(datagram, program, source, defaultPort);
    if (address !== null) this.#heard(address, "announcement");
  }

  /**
   * A server at this IP address says that it is `uri`, whose host is not believed.
   *
   * @param instance its identity; null for a server of the original.
   * @returns the peer if it is known already, and no other server than before.
   */
  nudged(uri: string, source: string, instance: string | null): Peer | null {
    const given = parsePeerAddress(uri, this.#options.configuration.defaultPort);
    if (given === null) return null;
    const address = { ...given, host: source };
    const known = this.#options.registry.get(baseOf(address));
    // It was started anew, or is not the server that it was taken for.
    const isOther = instance !== null && known !== undefined && known.instance !== instance;
    const isToBeAsked = known?.state !== "alive" || isOther;
    if (isToBeAsked && !this.#probeLimit.take(source)) return null;
    this.#heard(address, "nudge");
    if (known === undefined || !this.#options.registry.has(known)) return null;
    if (isOther) this.#options.introduce(known);
    return isOther || instance === null ? null : known;
  }

  /** The peer turned out to be this server under another name: it is never a peer again. */
  isSelf(peer: Peer): void {
    this.#options.registry.remove(peer);
    if (this.#selves.size < MOST_SELVES) this.#selves.add(peer.base);
  }

  #heard(address: PeerAddress, origin: "nudge" | "announcement"): void {
    const { registry, allowsPeer, introduce, again } = this.#options;
    // Servers answer at their root: a path of the sender's choice would make us ask others for it.
    if (address.path !== "/") return;
    if (!allowsPeer(address.host) || !this.#isUsable(address.host)) return;
    if (this.#selves.has(baseOf(address)) || this.#isOwn(address)) return;
    const peer = registry.heard(address, origin);
    if (peer !== null) {
      introduce(peer);
      return;
    }
    const known = registry.get(baseOf(address));
    if (known !== undefined) again(known);
  }

  /** A link-local IPv6 address needs a zone, which no URL that clients understand can bear. */
  #isUsable(host: string): boolean {
    if (!host.includes(":")) return true;
    return this.#options.configuration.ipv6 && !/^fe[89ab]/i.test(host);
  }

  #isOwn({ host, port }: PeerAddress): boolean {
    if (port !== this.#port) return false;
    if (isLoopback(host)) return true;
    const now = performance.now();
    if (this.#own === null || now - this.#own.read > ADDRESSES_LAST) {
      const hosts = new Set(Deno.networkInterfaces().map(({ address }) => address));
      this.#own = { read: now, hosts };
    }
    return this.#own.hosts.has(host);
  }
}
