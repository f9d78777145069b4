/** Watches the files that the configuration was read from. */

import { messageOf } from "../failure.ts";
import { realPath } from "../files.ts";
import type { Log } from "../log.ts";
import { dirname } from "../std.ts";

/** Milliseconds without a change before changes are reported, because editors write in several steps. */
const QUIET = 200;

/** By how many milliseconds the times of files lag behind the clock at most: the kernel's tick. */
const TICK = 10;

/** Watches files through their directories, so that it notices when a file is replaced or created. */
export class WatchedFiles {
  readonly #changed: () => void;
  readonly #log: Pick<Log, "warn">;
  #watchers: Deno.FsWatcher[] = [];
  #paths: ReadonlySet<string> = new Set();
  #directories: ReadonlySet<string> = new Set();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param changed called once after one or several changes.
   * @param log gets a warning for each directory that cannot be watched.
   */
  constructor(changed: () => void, log: Pick<Log, "warn">) {
    this.#changed = changed;
    this.#log = log;
  }

  /**
   * Watches these files and directories, and no others any more.
   *
   * @param files absolute paths; they need not exist.
   * @param directories absolute paths of directories in which any change counts.
   * @param since the time, in milliseconds since 1970, when their reader began to read them: a change
   *   since then is reported, too.
   */
  watch(files: readonly string[], directories: readonly string[], since: number): void {
    // The target of a symbolic link may be edited instead.
    const paths = files.flatMap((file) => [file, realPath(file)]);
    const parents = new Set([...paths.map((path) => dirname(path)), ...directories]);
    this.#paths = new Set(paths);
    this.#directories = new Set(directories);
    const former = this.#watchers;
    this.#watchers = [...parents].flatMap((directory) => this.#open(directory));
    for (const watcher of former) watcher.close();
    const now = Date.now();
    if ([...paths, ...directories].some((path) => changedBetween(since, now, path))) this.#note();
  }

  /** Stops watching. */
  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
  }

  #unwatchable(directory: string, error: unknown): void {
    this.#log.warn(`cannot watch ${directory} for changes: ${messageOf(error)}`);
  }

  #open(directory: string): Deno.FsWatcher[] {
    try {
      const watcher = Deno.watchFs(directory, { recursive: false });
      this.#listen(watcher).catch((error: unknown) => this.#unwatchable(directory, error));
      return [watcher];
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) this.#unwatchable(directory, error);
      return [];
    }
  }

  async #listen(watcher: Deno.FsWatcher): Promise<void> {
    for await (const event of watcher) {
      if (event.kind !== "access" && event.paths.some((path) => this.#counts(path))) this.#note();
    }
  }

  #counts(path: string): boolean {
    return this.#paths.has(path) || this.#directories.has(dirname(path));
  }

  #note(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#changed, QUIET);
  }
}

/**
 * True when a file, or the list of a directory's entries, changed in this time. A time in the future, which
 * a clock that was set back leaves, is no change: it would be reported again and again.
 */
function changedBetween(since: number, now: number, path: string): boolean {
  try {
    // The change time (ctime) would also tell about an old file that was moved here, but the runtime gives
    // it in whole seconds.
    const changed = Deno.statSync(path).mtime?.getTime() ?? 0;
    return since - TICK <= changed && changed <= now;
  } catch {
    // It does not exist, or cannot be accessed: its times are unknown.
    return false;
  }
}
