/** Finds the size and the SHA-256 of packages in pacman's sync databases. */

import { NO_DIRECTORY } from "../pacman/configuration.ts";
import { type ExpectedFile, PackageTable } from "../pacman/package_table.ts";

export type { ExpectedFile } from "../pacman/package_table.ts";

/** A database that was read. Plain data, for another thread. */
export interface ReadDatabase {
  /** The repository, whose database is `DBPath/sync/<repository>.db`. */
  readonly repository: string;
  /** Identifies the state of the file; null when the file or its repository does not exist any more. */
  readonly version: string | null;
  /** The buffer of a {@link PackageTable}; null when the database could not be read. */
  readonly table: ArrayBuffer | null;
}

/** Reads databases: in another thread, or in tests in this one. */
export interface Databases {
  /**
   * Reads the databases that changed.
   *
   * @param known the version of each database that the caller has, by repository.
   * @returns each database that is new, has another version, or was removed. Never rejects.
   */
  readChanged(known: ReadonlyMap<string, string>): Promise<readonly ReadDatabase[]>;
}

/** The time limits of {@link ExpectedFiles}. */
interface ExpectedFilesOptions {
  /** Milliseconds after a reading in which the databases are not checked again. */
  readonly freshFor: number;
  /** Milliseconds that a request waits for a running reading, counted from the start of the reading. */
  readonly patience: number;
}

const DEFAULTS: ExpectedFilesOptions = { freshFor: 1000, patience: 3000 };

/**
 * Finds the expected size and digest of packages. Databases are read and checked only when a file is
 * requested, so that an idle machine has nothing to do.
 */
export class ExpectedFiles {
  readonly #databases: Databases;
  readonly #options: ExpectedFilesOptions;
  /** The version of each database, by repository. */
  readonly #versions = new Map<string, string>();
  readonly #tables = new Map<string, PackageTable>();
  /** The running reading. It resolves with true when it ended in time, with false when the time is over. */
  #reading: Promise<boolean> | null = null;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(databases: Databases, options: Partial<ExpectedFilesOptions> = {}) {
    this.#databases = databases;
    this.#options = { ...DEFAULTS, ...options };
  }

  /**
   * Resolves with the expected size and digest of a package, for a request of pacman on this host. Must not
   * be called for other requests, because it may read databases.
   *
   * @param repository of the request; null when it has none: then all repositories are searched.
   * @param name of the file, without `.sig`.
   * @returns null when they are unknown: no database has the name, two differ (without a repository), the
   * database cannot be read, or reading takes longer than a request may wait.
   */
  async find(repository: string | null, name: string): Promise<ExpectedFile | null> {
    const isFresh = performance.now() - this.#readAt < this.#options.freshFor;
    const found = this.#reading === null && isFresh ? this.#lookup(repository, name) : null;
    // An unknown name may be in a database that pacman has just synchronised.
    if (found !== null) return found;
    return await this.#read() ? this.#lookup(repository, name) : null;
  }

  /**
   * Returns the entries for this name in the databases that have been read: mostly one or none, and several
   * if several repositories have it. Reads no database.
   */
  known(name: string): readonly ExpectedFile[] {
    return [...this.#tables.values()].flatMap((table) => table.find(name) ?? []);
  }

  /**
   * Tries to read the databases that changed, and those that could not be read before.
   *
   * @returns for each repository whose database exists, true when it could be read. Null when the reading
   * takes longer than a request may wait.
   */
  async readable(): Promise<ReadonlyMap<string, boolean> | null> {
    // Read those again, because permissions may have changed, which does not change the version.
    if (this.#reading === null) {
      for (const repository of this.#versions.keys()) {
        if (!this.#tables.has(repository)) this.#versions.delete(repository);
      }
    }
    if (!await this.#read()) return null;
    const seen = [...this.#versions].filter(([, version]) => version !== NO_DIRECTORY);
    return new Map(seen.map(([name]) => [name, this.#tables.has(name)]));
  }

  #lookup(repository: string | null, name: string): ExpectedFile | null {
    if (repository !== null) return this.#tables.get(repository)?.find(name) ?? null;
    const [first, ...others] = this.known(name);
    if (first === undefined) return null;
    return others.every((other) => isSameFile(first, other)) ? first : null;
  }

  /** Reads the changed databases, or waits for the running reading; false when that takes too long. */
  #read(): Promise<boolean> {
    this.#reading ??= this.#startReading();
    return this.#reading;
  }

  #startReading(): Promise<boolean> {
    const inTime = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => inTime.resolve(false), this.#options.patience);
    void this.#databases.readChanged(this.#versions).then((databases) => {
      for (const database of databases) this.#take(database);
      this.#readAt = performance.now();
      this.#reading = null;
      clearTimeout(timer);
      inTime.resolve(true);
    });
    return inTime.promise;
  }

  #take({ repository, version, table }: ReadDatabase): void {
    if (version === null) this.#versions.delete(repository);
    else this.#versions.set(repository, version);
    if (table === null) this.#tables.delete(repository);
    else this.#tables.set(repository, new PackageTable(table));
  }
}

function isSameFile(one: ExpectedFile, other: ExpectedFile): boolean {
  return one.size === other.size && one.sha256.toHex() === other.sha256.toHex();
}
