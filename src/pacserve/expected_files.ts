/** What pacman's sync databases say of package files: their size and their SHA-256. */

import { type ExpectedFile, PackageTable } from "../pacman/package_table.ts";

export type { ExpectedFile } from "../pacman/package_table.ts";

/** A database as it was read. Plain data, for another thread. */
export interface ReadDatabase {
  /** The repository, whose database is `DBPath/sync/<repository>.db`. */
  readonly repository: string;
  /** Which state of the file this is; null: there is no such file, or no such repository any more. */
  readonly version: string | null;
  /** The buffer of a {@link PackageTable}; null when the database could not be read. */
  readonly table: ArrayBuffer | null;
}

/** Where databases are read: another thread, or this one in tests. */
export interface Databases {
  /**
   * Reads the databases that changed.
   *
   * @param known the version of each database that the caller has, by repository.
   * @returns each database that is new, has another version, or is no more. Never rejects.
   */
  readChanged(known: ReadonlyMap<string, string>): Promise<readonly ReadDatabase[]>;
}

/** How long databases are waited for. */
interface ExpectedFilesOptions {
  /** Milliseconds for which what was read is taken to be current. */
  readonly freshFor: number;
  /** Milliseconds that a request waits for a reading under way, counted from its start. */
  readonly patience: number;
}

const DEFAULTS: ExpectedFilesOptions = { freshFor: 1000, patience: 3000 };

/**
 * Knows what package files must be. Nothing is read before the first question, and nothing is looked
 * at without one: an idle machine stays asleep.
 */
export class ExpectedFiles {
  readonly #databases: Databases;
  readonly #options: ExpectedFilesOptions;
  /** By repository. */
  readonly #versions = new Map<string, string>();
  readonly #tables = new Map<string, PackageTable>();
  /** The reading under way: true when it ended in time, false as soon as it takes too long. */
  #reading: Promise<boolean> | null = null;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(databases: Databases, options: Partial<ExpectedFilesOptions> = {}) {
    this.#databases = databases;
    this.#options = { ...DEFAULTS, ...options };
  }

  /**
   * What a package file must be, for a request of this host's own pacman. Call it for no other
   * request: it may read databases.
   *
   * @param repository of the request. Null where its address has none: then all repositories count.
   * @param name of the file, without `.sig`.
   * @returns null when it is not known: no database has the name, two differ (without a repository),
   * the database cannot be read, or reading takes longer than a request may wait.
   */
  async find(repository: string | null, name: string): Promise<ExpectedFile | null> {
    const isFresh = performance.now() - this.#readAt < this.#options.freshFor;
    const found = this.#reading === null && isFresh ? this.#lookup(repository, name) : null;
    // A name that is not known may be that of a database that pacman has just synchronised.
    if (found !== null) return found;
    return await this.#read() ? this.#lookup(repository, name) : null;
  }

  /**
   * Everything that the databases, as they were read last, say of files with this name: of several
   * repositories, and mostly one or nothing. Reads nothing.
   */
  known(name: string): readonly ExpectedFile[] {
    return [...this.#tables.values()].flatMap((table) => table.find(name) ?? []);
  }

  #lookup(repository: string | null, name: string): ExpectedFile | null {
    if (repository !== null) return this.#tables.get(repository)?.find(name) ?? null;
    const [first, ...others] = this.known(name);
    if (first === undefined) return null;
    return others.every((other) => isSameFile(first, other)) ? first : null;
  }

  /** Reads what has changed, or joins the reading under way; false when that takes too long. */
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
