/** Finds the mirrors of a file in pacman.conf. */

import type { HttpRequest } from "../http/exchange.ts";
import type { Network } from "../http/network.ts";
import type { Repository } from "../pacman/configuration.ts";
import { databaseOf, isOptional, isPackageOrItsSignature, type PacmanAddress } from "./address.ts";
import { conditionsOf } from "./conditions.ts";
import type { PacserveConfiguration } from "./configuration.ts";
import type { PacserveMemory } from "./memory.ts";
import { MirrorsOfFile } from "./relay/mirror_copies.ts";
import { type Mirror, mirrorsOf, Self } from "./servers.ts";
import { viaWith } from "./via.ts";

/** Finds the mirrors of files in the repositories of one configuration. */
export class RepositoryMirrors {
  readonly #configuration: PacserveConfiguration;
  readonly #memory: PacserveMemory;
  readonly #network: Pick<Network, "isOwn">;
  readonly #repositories: ReadonlyMap<string, Repository>;

  constructor(
    configuration: PacserveConfiguration,
    memory: PacserveMemory,
    network: Pick<Network, "isOwn">,
  ) {
    this.#configuration = configuration;
    this.#memory = memory;
    this.#network = network;
    const { repositories } = configuration.pacman;
    this.#repositories = new Map(repositories.map((each) => [each.name, each]));
  }

  /** Returns the section of pacman.conf for the repository of a request. */
  repository({ repository }: PacmanAddress): Repository | undefined {
    return repository === null ? undefined : this.#repositories.get(repository);
  }

  /** Returns the mirrors to which the client may be redirected, or from which its file may be fetched. */
  of(request: HttpRequest, address: PacmanAddress, isLocal: boolean): MirrorsOfFile {
    const { remoteAddress, localPort } = request.connection;
    const { port, hostNames } = this.#configuration;
    const ports = localPort === port ? [port] : [port, localPort];
    const self = new Self(ports, hostNames, this.#network);
    return new MirrorsOfFile({
      mirrors: this.#memory.mirrors,
      client: this.#memory.mirrorClient,
      file: address.file,
      repositories: this.#mirrors(address, self, isLocal),
      unverified: address.repository !== null,
      optional: isOptional(address.file),
      via: viaWith(request.headers["via"], this.#memory.instance),
      self,
      neighbour: isLocal ? null : remoteAddress,
      conditions: conditionsOf(request, address.file),
    });
  }

  /** Must be called when a mirror sent a database, because its signature must come from the same mirror. */
  gave(address: PacmanAddress, origin: string): void {
    this.#memory.databases.set(databaseOf(address), origin);
  }

  /**
   * Returns the mirrors of the repository of a request. For a package without a repository, returns those of
   * all repositories: a client was redirected here by a peer, and the package has left the cache meanwhile.
   */
  #mirrors(address: PacmanAddress, self: Self, isLocal: boolean): (readonly Mirror[])[] {
    const { pacman } = this.#configuration;
    const { repository: name, architecture, file } = address;
    const repositories = name !== null
      ? [this.repository(address)]
      : isPackageOrItsSignature(file)
      ? pacman.repositories
      : [];
    return repositories.flatMap((repository) => {
      if (repository === undefined) return [];
      const mirrors = mirrorsOf(repository, pacman, architecture, self, file)
        .filter((mirror) => isLocal || !mirror.onlyForThisHost);
      // Another mirror may have another version of the database, with another signature.
      const origin = isOptional(file) ? this.#memory.databases.get(databaseOf(address)) : null;
      const same = mirrors.filter((mirror) => mirror.origin === origin);
      return [same.length > 0 ? same : mirrors];
    });
  }
}
