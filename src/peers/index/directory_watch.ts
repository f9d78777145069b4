/**
 * Watches directories for changed names.
 *
 * A watch ends with the first change, because many changes come together and one is enough to know that the
 * directory must be read again. The owner starts the watch again before it reads the directory.
 */

/** Watches directories, but not their subdirectories. */
export class DirectoryWatch {
  readonly #directories: readonly string[];
  readonly #changed: () => void;
  readonly #touched: () => void;
  #watcher: Deno.FsWatcher | null = null;

  /**
   * The callbacks are called at most once for each {@link start}.
   *
   * @param changed is called when a file was added, removed or renamed.
   * @param touched is called when a file was written to, or its owner or permissions changed. The system does
   * not report which of these happened.
   */
  constructor(directories: readonly string[], changed: () => void, touched: () => void) {
    this.#directories = directories;
    this.#changed = changed;
    this.#touched = touched;
  }

  /**
   * Starts to watch.
   *
   * @returns `partly` when some directories do not exist, `no` when the existing ones cannot be watched
   * because the kernel's limit of watches is reached or the file system does not support it.
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

  /** Stops watching. */
  stop(): void {
    const watcher = this.#watcher;
    this.#watcher = null;
    watcher?.close();
  }

  /** Handles a failure of the watch. It reports a change, so that the owner reads the directory again. */
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
