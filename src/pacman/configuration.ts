/** What pacman.conf says, as far as pacserve needs it (pacman.conf(5)). */

/** A repository section of pacman.conf. */
export interface Repository {
  readonly name: string;
  /** `Server` lines in order, with `$repo` and `$arch` filled in, without a slash at the end. */
  readonly servers: readonly string[];
  /**
   * `CacheServer` lines, likewise (pacman 6.1): pacman asks them first for packages, and never for
   * databases. Left out where there are none.
   */
  readonly cacheServers?: readonly string[];
  /** True when pacman refuses a package of this repository that has no valid signature. */
  readonly packageSignatureRequired: boolean;
}

/** The parts of pacman's configuration that matter to a server of its cache. */
export interface PacmanConfiguration {
  /** Absolute, in pacman's order, without a slash at the end. */
  readonly cacheDirectories: readonly string[];
  /** Directory of the databases, `/var/lib/pacman`, without links and without a slash at the end. */
  readonly databasePath: string;
  readonly architectures: readonly string[];
  readonly repositories: readonly Repository[];
}

/** The configuration of a machine that has no pacman. */
export const WITHOUT_PACMAN: PacmanConfiguration = {
  cacheDirectories: [],
  databasePath: "/var/lib/pacman",
  architectures: [],
  repositories: [],
};

/** The directory in which pacman keeps the databases of its repositories. */
export function syncDirectory({ databasePath }: PacmanConfiguration): string {
  return `${databasePath === "/" ? "" : databasePath}/sync`;
}
