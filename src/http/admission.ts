/**
 * Who may come in, and by which name they may call us.
 *
 * Three walls, all before anything is read: strangers from other networks, pages of other sites that
 * make a browser send requests here under a name of theirs (DNS rebinding), and pages of other sites
 * that make it upload.
 */

import ipaddr from "ipaddr.js";
import { LRUCache } from "lru-cache";
import { UsageError } from "../failure.ts";
import type { AdmissionConfiguration } from "./configuration.ts";
import type { Connection, HttpRequest, Reply } from "./exchange.ts";
import type { Network } from "./network.ts";
import { textReply } from "./replies.ts";

/** What is known about this host. */
interface HostFacts {
  /** Its names, as {@link ownNames} gives them. */
  readonly names: readonly string[];
  /** Its interfaces, as they are now. */
  readonly network: Pick<Network, "networks">;
}

/** Who may come in unless `--allow-network` says otherwise (RFC 1918, RFC 3927, RFC 4193, RFC 4291). */
const PRIVATE_NETWORKS: readonly string[] = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "169.254.0.0/16",
  "fc00::/7",
  "fe80::/10",
];

/** What multicast DNS adds to the name of this host: `box-pacserve.local` is `box`. */
const SERVICE_NAME = /-pacserve(?:-\d{1,4})?\.local$/;

/** How long an answer about an address holds: interfaces come and go. In milliseconds. */
const REMEMBERED_TIME = 30_000;

/** How many addresses are remembered. */
const MAX_REMEMBERED = 1024;

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Decides about addresses, names and origins. */
export class Admission {
  readonly #facts: HostFacts;
  readonly #narrowed: boolean;
  readonly #networks: readonly Range[];
  readonly #names: ReadonlySet<string>;
  /** Most requests in a row name the server as the one before did. */
  #lastAllowedHost: string | null = null;
  readonly #remembered = new LRUCache<string, boolean>({
    max: MAX_REMEMBERED,
    ttl: REMEMBERED_TIME,
    // Without it the time is taken from a timer.
    ttlResolution: 0,
  });

  /** @throws {UsageError} when an allowed network is malformed. */
  constructor(configuration: AdmissionConfiguration, facts: HostFacts) {
    this.#facts = facts;
    this.#narrowed = configuration.allowedNetworks.length > 0;
    this.#networks = this.#narrowed
      ? configuration.allowedNetworks.map(parseCidr)
      : PRIVATE_NETWORKS.map(parseCidr);
    this.#names = new Set(
      ["localhost", ...facts.names, ...configuration.serverNames].map(plainName),
    );
  }

  /** True when an address may send us requests. */
  allowsAddress(address: string): boolean {
    const known = this.#remembered.get(address);
    if (known !== undefined) return known;
    const allowed = this.#decide(address);
    this.#remembered.set(address, allowed);
    return allowed;
  }

  /**
   * True when a server at this address is believed that it is a peer: it is on this host, in a network
   * of our interfaces, or in one of `--allow-network` where that is given. Private networks behind a
   * router may send requests, but nothing sent from there makes this server connect to them.
   */
  allowsPeer(address: string): boolean {
    if (!this.allowsAddress(address)) return false;
    if (this.#narrowed) return true;
    const remote = ipaddr.process(address);
    return remote.range() === "loopback" ||
      this.#facts.network.networks().some((network) => contains(parseCidr(network), remote));
  }

  /** True when the other end of a connection may send us requests. */
  allowsConnection(connection: Connection): boolean {
    return connection.remoteAddress === connection.localAddress ||
      this.allowsAddress(connection.remoteAddress);
  }

  /**
   * True when a `Host` field names this server: an IP literal, `localhost`, a name of this host, or a
   * `--server-name`; with any port. Also when it is missing, as HTTP/1.0 permits (the listener refuses
   * that in HTTP/1.1).
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

  /** The refusal of a request, or null when it may go on. */
  refusal(request: HttpRequest): Reply | null {
    if (!this.allowsConnection(request.connection)) {
      return textReply(
        403,
        `Your address ${request.connection.remoteAddress} is not in a network that this server ` +
          "answers; its owner can allow it with --allow-network, which then has to name all " +
          "networks that it shall answer.",
      );
    }
    const { host } = request.headers;
    if (!this.allowsHost(host)) {
      return textReply(
        403,
        "This server does not answer to the name in the Host field; " +
          "its owner can allow the name with --server-name.",
      );
    }
    if (isCrossSite(request)) {
      return textReply(403, "Pages of other sites may not make a browser change anything here.");
    }
    return null;
  }

  #decide(address: string): boolean {
    if (!ipaddr.isValid(address)) return false;
    const remote = ipaddr.process(address);
    if (remote.range() === "loopback") return true;
    const interfaces = this.#facts.network.networks().map(parseCidr);
    if (interfaces.some(([own]) => own.toNormalizedString() === remote.toNormalizedString())) {
      return true;
    }
    const networks = this.#narrowed ? this.#networks : [...this.#networks, ...interfaces];
    return networks.some((network) => contains(network, remote));
  }
}

/**
 * True for a request that may change something and that a page of another site made a browser send
 * (Fetch Metadata, `Sec-Fetch-Site`; RFC 6454, `Origin`). Clients that are no browser send neither
 * field and pass.
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

/**
 * Domains in which nobody can register a name on the internet, so that no stranger's page has one:
 * multicast DNS (RFC 6762 §3), what routers call their LAN, and the domains that are reserved for that
 * (RFC 8375 §4, ICANN's `internal`). `fritz.box` is not one of them: it can be registered.
 */
const PRIVATE_DOMAINS = ["local", "lan", "home", "internal", "localdomain", "home.arpa"];

/**
 * The names by which a host is called on its LAN: bare, in the domains that nobody can register, and in
 * those that its resolver searches.
 *
 * `ownNames("box", ["example.org"])` has `box`, `box.local`, `box.lan` and `box.example.org` among others.
 */
export function ownNames(hostname: string, domains: readonly string[]): string[] {
  const whole = plainName(hostname);
  if (whole === "") return [];
  const bare = whole.split(".")[0] ?? whole;
  const names = [...PRIVATE_DOMAINS, ...domains].map((domain) => `${bare}.${plainName(domain)}`);
  return [...new Set([whole, bare, ...names])];
}

/**
 * Checks a network as `--allow-network` takes it.
 *
 * @throws {UsageError} when it is no address and no network in CIDR notation.
 */
function parseCidr(network: string): Range {
  try {
    if (network.includes("/")) return ipaddr.parseCIDR(network);
    const address = ipaddr.parse(network);
    return [address, address.kind() === "ipv4" ? 32 : 128];
  } catch {
    throw new UsageError(`--allow-network: ${network} is no network (for example 10.0.0.0/8)`);
  }
}

function contains([network, bits]: Range, address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return network.kind() === address.kind() && address.match(network, bits);
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}
