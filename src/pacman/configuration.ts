/** The parts of a pacman.conf that pacserve needs (pacman.conf(5)). */

/** A repository section of pacman.conf. */
export interface Repository {
  readonly name: string;
  /** `Server` lines in order, with `$repo` and `$arch` filled in, without a slash at the end. */
  readonly servers: readonly string[];
  /**
   * `CacheServer` lines (pacman 6.1) in the same form. pacman asks these servers first for packages, and
   * never for databases. Missing when there are no such lines.
   */
  readonly cacheServers?: readonly string[];
  /** True when pacman refuses a package of this repository that has no valid signature. */
  readonly packageSignatureRequired: boolean;
}

/** A configuration of pacman. */
export interface PacmanConfiguration {
  /** Absolute paths, in pacman's order, without a slash at the end. */
  readonly cacheDirectories: readonly string[];
  /** Real path of the database directory, `/var/lib/pacman`, without a slash at the end. */
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

/** The version of every database while their directory is missing, so that this is logged only once. */
export const NO_DIRECTORY = "no directory";
