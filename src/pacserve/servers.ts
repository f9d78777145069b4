/** What the `Server` and `CacheServer` lines of a repository are to us: a mirror, a local directory, or ourselves. */

import { fileURLToPath } from "node:url";
import ipaddr from "ipaddr.js";
import { isLoopbackHost } from "../http/address.ts";
import type { Network } from "../http/network.ts";
import { encodeSegment } from "../http/target.ts";
import type { PacmanConfiguration, Repository } from "../pacman/configuration.ts";
import { isPackageOrItsSignature } from "./address.ts";

/** A server from which the files of one repository can be had over the network. */
export interface Mirror {
  /** The address as pacman.conf has it. The file's name is appended behind a slash. */
  readonly server: string;
  /** Scheme, host and port, for logs and for remembering whether it is alive. Without credentials. */
  readonly origin: string;
  /**
   * True when only this host may be sent there: the address has credentials in it, or means the
   * host itself (`localhost`), which to another host would be another machine.
   */
  readonly onlyForThisHost: boolean;
  /** True when the address has a user or a password in it. */
  readonly hasCredentials: boolean;
}

/** How a server knows itself in an address. */
export class Self {
  readonly #ports: readonly number[];
  readonly #hostNames: readonly string[];
  readonly #network: Pick<Network, "isOwn"> | null;

  /**
   * @param ports TCP ports on which we listen.
   * @param hostNames names of this host, with or without its domain.
   * @param network null: IP addresses other than those that always mean this host are not known.
   */
  constructor(
    ports: readonly number[],
    hostNames: readonly string[],
    network: Pick<Network, "isOwn"> | null,
  ) {
    this.#ports = ports;
    this.#hostNames = hostNames;
    this.#network = network;
  }

  /** True when an address leads to this very server. */
  isAt(url: URL): boolean {
    if (url.protocol !== "http:" && url.protocol !== "https:") return false;
    const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
    if (!this.#ports.includes(port)) return false;
    const host = hostOf(url);
    if (isLoopbackHost(host) || host === "0.0.0.0" || host === "::") return true;
    if (this.#network?.isOwn(host)) return true;
    return this.#hostNames.some((name) => {
      const own = name.toLowerCase();
      return host === own || host === `${own}.local`;
    });
  }
}

/**
 * The mirrors of a repository, in order: servers with `http:` or `https:` that are not ourselves.
 *
 * A server whose address names our architecture is no mirror for a client of another one.
 *
 * As in pacman, the `CacheServer` lines come first for packages and their signatures, and do not count
 * for databases.
 *
 * @param architecture that the client asked for; null when it did not say.
 * @param file that the client asked for.
 */
export function mirrorsOf(
  repository: Repository,
  configuration: PacmanConfiguration,
  architecture: string | null,
  self: Self,
  file: string,
): Mirror[] {
  const cacheServers = isPackageOrItsSignature(file) ? repository.cacheServers ?? [] : [];
  const mirrors: Mirror[] = [];
  for (const server of new Set([...cacheServers, ...repository.servers])) {
    const url = parseUrl(server);
    if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) continue;
    if (self.isAt(url) || !fitsArchitecture(server, configuration, architecture)) continue;
    const hasCredentials = url.username !== "" || url.password !== "";
    mirrors.push({
      server,
      origin: url.origin,
      onlyForThisHost: hasCredentials || isLoopbackHost(hostOf(url)),
      hasCredentials,
    });
  }
  return mirrors;
}

/**
 * The directories of a repository that has nothing but `file:` servers (and perhaps ourselves).
 * Empty for every other repository.
 */
export function directoriesOf(repository: Repository, self: Self): string[] {
  const directories: string[] = [];
  for (const server of repository.servers) {
    const url = parseUrl(server);
    if (url === null || self.isAt(url)) continue;
    if (url.protocol !== "file:") return [];
    const directory = localPathOf(url);
    if (directory !== null) directories.push(directory);
  }
  return directories;
}

/** The directories of all repositories that have nothing but `file:` servers, each once. */
export function fileRepositoryDirectories(
  configuration: PacmanConfiguration,
  self: Self,
): string[] {
  return [
    ...new Set(configuration.repositories.flatMap((repository) => directoriesOf(repository, self))),
  ];
}

/** The address of a file on a mirror, credentials and query included. */
export function urlOn(mirror: Mirror, file: string): string {
  return new URL(`${mirror.server}/${encodeSegment(file)}`).href;
}

/**
 * True when something for this architecture may come from what serves ours. pacman fills `$arch` in
 * with the first configured one.
 */
export function isOurArchitecture(
  architecture: string | null,
  configuration: PacmanConfiguration,
): boolean {
  const [own] = configuration.architectures;
  return architecture === null || own === undefined || architecture === own;
}

function fitsArchitecture(
  server: string,
  configuration: PacmanConfiguration,
  architecture: string | null,
): boolean {
  const [own] = configuration.architectures;
  return isOurArchitecture(architecture, configuration) || !server.includes(own ?? "");
}

/** The host of an address in lower case, without the brackets of IPv6 and the root's dot. */
function hostOf(url: URL): string {
  const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "").toLowerCase();
  // An IPv4-mapped address is given as IPv4, the way a connection's address is.
  return host.startsWith("::ffff:") ? ipaddr.process(host).toString() : host;
}

function parseUrl(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    // pacman takes any text for an address; so this server is one that nobody can use.
    return null;
  }
}

function localPathOf(url: URL): string | null {
  try {
    const path = fileURLToPath(url);
    return path.length > 1 ? path.replace(/\/+$/, "") : path;
  } catch {
    // A host, or an encoded slash: not a path that pacman could use either.
    return null;
  }
}
