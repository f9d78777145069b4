/**
 * Noticing that names changed in a directory.
 *
 * The watch ends with the first change: many come together, and one is enough to know that it is time
 * to look. Before it looks, the reader starts the watch again.
 */

/** Watches directories, not what lies in directories below them. */
export class DirectoryWatch {
  readonly #directories: readonly string[];
  readonly #changed: () => void;
  readonly #touched: () => void;
  #watcher: Deno.FsWatcher | null = null;

  /**
   * Both are called at most once for each {@link start}.
   *
   * @param changed a file came, went or has another name.
   * @param touched something was written into a file, or its owner or permissions are others: the
   * system does not tell which.
   */
  constructor(directories: readonly string[], changed: () => void, touched: () => void) {
    this.#directories = directories;
    this.#changed = changed;
    this.#touched = touched;
  }

  /**
   * Watches from now on.
   *
   * @returns `partly` when some directories do not exist, `no` when those that do cannot be watched:
   * the kernel's limit of watches is reached, or the file system has none.
   */
  start(): "yes" | "partly" | "no" {
    this.stop();
    const present = this.#directories.filter(canBeWatched);
    try {
      if (present.length > 0) {
        const watcher = Deno.watchFs(present, { recursive: false });
        this.#watcher = watcher;
        this.#wait(watcher).catch(() => this.#lost(watcher));
      }
      return present.length === this.#directories.length ? "yes" : "partly";
    } catch {
      return "no";
    }
  }

  /** Watches no more. */
  stop(): void {
    const watcher = this.#watcher;
    this.#watcher = null;
    watcher?.close();
  }

  /** The watch failed: to look is better than to see nothing any more. */
  #lost(watcher: Deno.FsWatcher): void {
    if (this.#watcher !== watcher) return;
    this.stop();
    this.#changed();
  }

  async #wait(watcher: Deno.FsWatcher): Promise<void> {
    let touched = false;
    for await (const { kind } of watcher) {
      if (this.#watcher !== watcher) return;
      if (kind === "modify" && !touched) {
        touched = true;
        this.#touched();
      }
      if (kind === "access" || kind === "modify") continue;
      this.stop();
      this.#changed();
      return;
    }
  }
}

function canBeWatched(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
