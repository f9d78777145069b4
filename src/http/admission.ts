/**
 * Decides which clients are answered, and under which host names.
 *
 * Three checks, all before anything is read. They refuse clients of other networks, requests that a
 * page of another site makes a browser send here under that site's name (DNS rebinding), and uploads
 * that such a page makes a browser send.
 */

import ipaddr from "ipaddr.js";
import { BoundedMap } from "../bounded_map.ts";
import type { AdmissionConfiguration } from "./configuration.ts";
import type { Connection, HttpRequest, Reply } from "./exchange.ts";
import type { Network } from "./network.ts";
import { plainName } from "./own_names.ts";
import { textReply } from "./replies.ts";

/** Facts about this host. */
interface HostFacts {
  /** Its host names, as `ownNames` in `own_names.ts` returns them. */
  readonly names: readonly string[];
  /** Its current network interfaces. */
  readonly network: Pick<Network, "networks">;
}

/** Networks that are allowed without `--allow-network` (RFC 1918, RFC 3927, RFC 4193, RFC 4291). */
const PRIVATE_NETWORKS: readonly string[] = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "169.254.0.0/16",
  "fc00::/7",
  "fe80::/10",
];

/**
 * The names that podman and docker give to the machine on which their containers run. Nobody can register a name in
 * the domain `internal`, so no page of another site has one of these.
 */
const CONTAINER_HOST_NAMES: readonly string[] = [
  "host.containers.internal",
  "host.docker.internal",
];

/** The suffix that we add to this host's name in multicast DNS: `box-pacserve.local` means `box`. */
const SERVICE_NAME = /-pacserve(?:-\d{1,4})?\.local$/;

/** How long a decision about an address is kept, in milliseconds; interfaces come and go. */
const REMEMBERED_TIME = 30_000;

/** For how many addresses a decision is kept. */
const MAX_REMEMBERED = 1024;

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Checks the addresses, host names and origins of requests. */
export class Admission {
  readonly #facts: HostFacts;
  readonly #narrowed: boolean;
  readonly #networks: readonly Range[];
  readonly #names: ReadonlySet<string>;
  /** A shortcut: most requests have the same `Host` as the one before. */
  #lastAllowedHost: string | null = null;
  readonly #remembered = new BoundedMap<string, boolean>(MAX_REMEMBERED, REMEMBERED_TIME);

  constructor(configuration: AdmissionConfiguration, facts: HostFacts) {
    this.#facts = facts;
    this.#narrowed = configuration.allowedNetworks.length > 0;
    this.#networks = this.#narrowed
      ? configuration.allowedNetworks.map(ipaddr.parseCIDR)
      : PRIVATE_NETWORKS.map(ipaddr.parseCIDR);
    this.#names = new Set(
      ["localhost", ...CONTAINER_HOST_NAMES, ...facts.names, ...configuration.serverNames]
        .map(plainName),
    );
  }

  /** True when requests from an address are answered. */
  allowsAddress(address: string): boolean {
    const known = this.#remembered.get(address);
    if (known !== undefined) return known;
    const allowed = this.#decide(address);
    this.#remembered.set(address, allowed);
    return allowed;
  }

  /**
   * True when a server at this address may become a peer: it is on this host, in a network of our
   * interfaces, or, with `--allow-network`, in one of the networks given there. Clients in private
   * networks behind a router may send requests, but this server does not connect to peers there.
   */
  allowsPeer(address: string): boolean {
    if (!this.allowsAddress(address)) return false;
    if (this.#narrowed) return true;
    const remote = ipaddr.process(address);
    return remote.range() === "loopback" ||
      this.#facts.network.networks().some((network) => contains(ipaddr.parseCIDR(network), remote));
  }

  /** True when requests that come over a connection are answered. */
  allowsConnection(connection: Connection): boolean {
    return connection.remoteAddress === connection.localAddress ||
      this.allowsAddress(connection.remoteAddress);
  }

  /**
   * True when a `Host` field names this server: an IP literal, `localhost`, a name of this host (also
   * the name that its containers use), or a `--server-name`; with any port. Also true when the field is
   * missing, which HTTP/1.0 permits (the listener refuses a request of HTTP/1.1 without it).
   */
  allowsHost(host: string | undefined): boolean {
    if (host === undefined || host === this.#lastAllowedHost) return true;
    const allowed = this.#isOurs(host);
    if (allowed) this.#lastAllowedHost = host;
    return allowed;
  }

  #isOurs(host: string): boolean {
    const name = plainName(host.replace(/:\d*$/, ""));
    if (name.startsWith("[")) return ipaddr.IPv6.isValid(name.slice(1, -1));
    return this.#names.has(name.replace(SERVICE_NAME, ".local")) ||
      ipaddr.IPv4.isValidFourPartDecimal(name);
  }

  /** The reply that refuses a request; null when the request is allowed. */
  refusal(request: HttpRequest): Reply | null {
    if (!this.allowsConnection(request.connection)) {
      return textReply(
        403,
        `Your address ${request.connection.remoteAddress} is not in a network that this server ` +
          "answers. Its owner can allow your network with --allow-network, which then must be " +
          "given for every network that the server answers.",
      );
    }
    const { host } = request.headers;
    if (!this.allowsHost(host)) {
      return textReply(
        403,
        "This server does not answer to the name in the Host field. " +
          "Its owner can allow the name with --server-name.",
      );
    }
    if (isCrossSite(request)) {
      return textReply(
        403,
        "This request was made by a page of another site, which may not change anything here.",
      );
    }
    return null;
  }

  #decide(address: string): boolean {
    if (!ipaddr.isValid(address)) return false;
    const remote = ipaddr.process(address);
    if (remote.range() === "loopback") return true;
    const interfaces = this.#facts.network.networks().map(ipaddr.parseCIDR);
    if (interfaces.some(([own]) => own.toNormalizedString() === remote.toNormalizedString())) {
      return true;
    }
    const networks = this.#narrowed ? this.#networks : [...this.#networks, ...interfaces];
    return networks.some((network) => contains(network, remote));
  }
}

/**
 * True for a request that may change something and that a page of another site made a browser send
 * (Fetch Metadata, `Sec-Fetch-Site`; RFC 6454, `Origin`). Other clients than browsers send neither
 * field; for them it is false.
 */
function isCrossSite(request: HttpRequest): boolean {
  const { method, headers } = request;
  if (method === "GET" || method === "HEAD" || method === "OPTIONS") return false;
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none") return true;
  const { origin, host } = headers;
  if (origin === undefined) return false;
  const scheme = request.connection.secure ? "https" : "http";
  return origin.toLowerCase() !== `${scheme}://${host ?? ""}`.toLowerCase();
}

function contains([network, bits]: Range, address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return network.kind() === address.kind() && address.match(network, bits);
}
