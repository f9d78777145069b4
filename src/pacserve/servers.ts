/** Finds the mirrors and local directories in the `Server` and `CacheServer` lines of a repository. */

import ipaddr from "ipaddr.js";
import { isLoopbackHost } from "../http/address.ts";
import type { Network } from "../http/network.ts";
import { encodeSegment } from "../http/target.ts";
import type { PacmanConfiguration, Repository } from "../pacman/configuration.ts";
import { isPackageOrItsSignature } from "./address.ts";

/** A server from which the files of one repository can be downloaded. */
export interface Mirror {
  /** The URL in pacman.conf. A slash and the name of the file are appended to it. */
  readonly server: string;
  /** Scheme, host and port, without credentials. It identifies the mirror in logs and in stored results. */
  readonly origin: string;
  /**
   * True when only this host may use the mirror: its URL has credentials, or its host is `localhost`, which
   * on another host is another machine.
   */
  readonly onlyForThisHost: boolean;
  /** True when the URL has a user or a password. */
  readonly hasCredentials: boolean;
}

/** Recognizes URLs that lead to this server. */
export class Self {
  readonly #ports: readonly number[];
  readonly #hostNames: readonly string[];
  readonly #network: Pick<Network, "isOwn"> | null;

  /**
   * @param ports TCP ports of this server.
   * @param hostNames names of this host, with or without its domain.
   * @param network null when only loopback and unspecified addresses are recognized.
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

  /** True when the URL leads to this server. */
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
 * Returns the mirrors of a repository, in order: servers with `http:` or `https:`, without this server.
 *
 * A server whose URL contains this host's architecture is not used for a client with another one.
 *
 * As in pacman, the `CacheServer` lines come first for packages and their signatures, and are ignored for
 * databases.
 *
 * @param architecture of the request; null when it has none.
 * @param file name of the requested file.
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
    // pacman accepts any text in a `Server` line. One that is no URL cannot be used.
    const url = URL.parse(server);
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
 * Returns the directories of a repository that has only `file:` servers (apart from this server).
 * The list is empty for every other repository.
 */
export function directoriesOf(repository: Repository, self: Self): string[] {
  const directories: string[] = [];
  for (const server of repository.servers) {
    const url = URL.parse(server);
    if (url === null || self.isAt(url)) continue;
    if (url.protocol !== "file:") return [];
    const directory = localPathOf(url);
    if (directory !== null) directories.push(directory);
  }
  return directories;
}

/** Returns the directories of all repositories that have only `file:` servers, without duplicates. */
export function fileRepositoryDirectories(
  configuration: PacmanConfiguration,
  self: Self,
): string[] {
  return [
    ...new Set(configuration.repositories.flatMap((repository) => directoriesOf(repository, self))),
  ];
}

/** Returns the origins of all mirrors, in order, each with the repositories that it serves. */
export function mirrorOrigins(
  configuration: PacmanConfiguration,
  self: Self,
): Map<string, string[]> {
  const origins = new Map<string, string[]>();
  for (const repository of configuration.repositories) {
    // Use the name of a package, so that `CacheServer` lines are included.
    for (const { origin } of mirrorsOf(repository, configuration, null, self, "a.pkg.tar.zst")) {
      const names = origins.getOrInsertComputed(origin, () => []);
      if (!names.includes(repository.name)) names.push(repository.name);
    }
  }
  return origins;
}

/** Returns the URL of a file on a mirror, with credentials and query. */
export function urlOn(mirror: Mirror, file: string): string {
  return new URL(`${mirror.server}/${encodeSegment(file)}`).href;
}

/**
 * True when the architecture of a request is null, or the one of this host: the first configured one, with
 * which pacman replaces `$arch`.
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

/** Returns the host of a URL in lower case, without the brackets of IPv6 and without a final dot. */
function hostOf(url: URL): string {
  const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "").toLowerCase();
  // Return an IPv4-mapped address as IPv4, like the address of a connection.
  return host.startsWith("::ffff:") ? ipaddr.process(host).toString() : host;
}

function localPathOf(url: URL): string | null {
  // pacman cannot use a path with a host or an encoded slash either.
  if (url.host !== "" || /%2f/i.test(url.pathname)) return null;
  try {
    const path = decodeURIComponent(url.pathname);
    return path.length > 1 ? path.replace(/\/+$/, "") : path;
  } catch {
    // The encoded bytes are not UTF-8.
    return null;
  }
}
