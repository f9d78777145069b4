/** The main thread's part in reading sync databases: finds those that changed, and starts a worker. */

import { messageOf } from "../failure.ts";
import type { Log } from "../log.ts";
import { NO_DIRECTORY, type PacmanConfiguration, syncDirectory } from "../pacman/configuration.ts";
import type { Databases, ReadDatabase } from "../pacserve/expected_files.ts";
import { databaseScope } from "./confinement.ts";
import type { FromDatabaseWorker, ToDatabaseWorker } from "./database_worker.ts";

/** How long a worker may take to read its databases, in milliseconds. */
const TIME_LIMIT = 60_000;

/** The file of the worker's code, next to this file: TypeScript, or in a package its bundle. */
const WORKER_FILE = new URL(
  import.meta.url.endsWith(".ts") ? "./database_worker.ts" : "./database_worker.js",
  import.meta.url,
);

/** The result of reading a database. */
type Outcome = Exclude<FromDatabaseWorker, { type: "done" }>;

/** Options for tests. */
interface DatabaseReaderOptions {
  readonly workerFile: URL;
  /** Milliseconds. */
  readonly timeLimit: number;
}

/** Reads the databases of one configuration of pacman. Use each object once. */
export class DatabaseReader implements Databases {
  readonly #pacman: PacmanConfiguration;
  readonly #log: Pick<Log, "warn">;
  readonly #options: DatabaseReaderOptions;
  readonly #closed = Promise.withResolvers<null>();

  /** @param log gets a warning for each database that cannot be read. */
  constructor(
    pacman: PacmanConfiguration,
    log: Pick<Log, "warn">,
    options: Partial<DatabaseReaderOptions> = {},
  ) {
    this.#pacman = pacman;
    this.#log = log;
    this.#options = { workerFile: WORKER_FILE, timeLimit: TIME_LIMIT, ...options };
  }

  async readChanged(known: ReadonlyMap<string, string>): Promise<readonly ReadDatabase[]> {
    const directory = syncDirectory(this.#pacman);
    const paths = databasePaths(this.#pacman);
    const isVisible = await Deno.stat(directory).then(() => true, () => false);
    const versions = new Map<string, string | null>();
    for (const repository of known.keys()) versions.set(repository, null);
    await Promise.all([...paths].map(async ([repository, path]) => {
      versions.set(repository, isVisible ? await versionOf(path) : NO_DIRECTORY);
    }));
    const changed = [...versions].filter(([repository, version]) =>
      version !== (known.get(repository) ?? null)
    );
    if (!isVisible && changed.some(([, version]) => version !== null)) {
      this.#log.warn(
        `packages are not verified, because ${directory} does not exist; if this is a service, its unit ` +
          `must make it visible (BindReadOnlyPaths=${directory}, see DROP-INS in pacserve(8))`,
      );
    }
    const toRead = !isVisible
      ? []
      : changed.flatMap(([repository, version]) =>
        version === null ? [] : paths.get(repository) ?? []
      );
    const tables: ReadonlyMap<string, ArrayBuffer> = toRead.length === 0
      ? new Map()
      : await this.#read(toRead);
    return changed.map(([repository, version]) => ({
      repository,
      version,
      table: tables.get(paths.get(repository) ?? "") ?? null,
    }));
  }

  /** Ends the reading, if one is under way. */
  close(): void {
    this.#closed.resolve(null);
  }

  /** Reads databases in a new worker. Returns the tables of those that it could read, by path. */
  async #read(paths: readonly string[]): Promise<ReadonlyMap<string, ArrayBuffer>> {
    const tables = new Map<string, ArrayBuffer>();
    const unread = new Set(paths);
    const end = Promise.withResolvers<string>();
    const timer = setTimeout(
      () => end.resolve("reading it takes too long"),
      this.#options.timeLimit,
    );
    const worker = this.#startWorker();
    const take = (outcome: Outcome): void => {
      unread.delete(outcome.path);
      if (outcome.type === "table") tables.set(outcome.path, outcome.table);
      else this.#warnOf(outcome.path, outcome.reason);
    };
    worker.onmessage = ({ data }: MessageEvent<FromDatabaseWorker>) => {
      if (data.type === "done") end.resolve("it was not read");
      else take(data);
    };
    worker.onerror = (event) => {
      // Without this the error would end the whole process.
      event.preventDefault();
      end.resolve(`its reader failed: ${event.message}`);
    };
    worker.postMessage(paths satisfies ToDatabaseWorker);
    const reason = await Promise.race([end.promise, this.#closed.promise]);
    clearTimeout(timer);
    worker.terminate();
    // The reading was ended by `close`: do not warn of the databases that were not read.
    if (reason === null) return tables;
    for (const path of unread) this.#warnOf(path, reason);
    return tables;
  }

  #startWorker(): Worker {
    return new Worker(this.#options.workerFile, {
      type: "module",
      deno: { permissions: databaseScope(this.#pacman) },
    });
  }

  #warnOf(path: string, reason: string): void {
    this.#log.warn(
      `packages of ${path} are not verified, because the database cannot be read: ${reason}`,
    );
  }
}

/** The path of each repository's database. A name with a slash, which no file can have, is left out. */
function databasePaths(pacman: PacmanConfiguration): ReadonlyMap<string, string> {
  const names = pacman.repositories.map(({ name }) => name).filter((name) => !name.includes("/"));
  return new Map(names.map((name) => [name, `${syncDirectory(pacman)}/${name}.db`]));
}

/** A text that changes when the file is replaced or modified; null when there is no file. */
async function versionOf(path: string): Promise<string | null> {
  try {
    const { dev, ino, size, mtime } = await Deno.stat(path);
    return [dev, ino, size, mtime?.getTime()].join(":");
  } catch (error) {
    // The file exists but cannot be examined: the worker will report why.
    return error instanceof Deno.errors.NotFound ? null : messageOf(error);
  }
}
