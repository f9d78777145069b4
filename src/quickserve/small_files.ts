/** A cache of small files. An entry is used only if the file on the disk has not changed. */

import { LRUCache } from "lru-cache";
import type { SharedFile } from "./shared.ts";

/** A cached file, with data that its reply needs. */
export interface KeptFile<Extra> {
  readonly file: SharedFile;
  readonly bytes: Uint8Array;
  readonly extra: Extra;
}

/** Files up to this size (bytes) are cached. */
export const MAX_SMALL_FILE = 1024 * 1024;

/** Memory for all cached files together, in bytes. */
const BUDGET = 32 * 1024 * 1024;

/** If the last change is less than this time ago (ms), the next one may leave the same change time. */
const SETTLED_AFTER = 2000;

/** After this time (ms) without a request for a cached file, all are freed. */
const IDLE_TIME = 60_000;

/**
 * Caches the most recently used files that have passed the tree's checks.
 *
 * A cached file is valid only if the look-up of the same request found the same inode, size and times. The
 * change time (ctime) changes with every change of the content, and no program can set it back. Therefore
 * an equal change time means equal bytes. But the kernel's clock advances in ticks: a file that has
 * just changed is not cached.
 */
export class SmallFiles<Extra> {
  readonly #kept = new LRUCache<string, KeptFile<Extra>>({
    maxSize: BUDGET,
    maxEntrySize: MAX_SMALL_FILE + 1024,
    // Add the memory that a file takes besides its bytes.
    sizeCalculation: (file): number => file.bytes.length + 1024,
  });
  #timer: ReturnType<typeof setTimeout> | null = null;
  #used = false;

  /** Returns a file that has just been looked up; null when it is not cached or has changed. */
  get(file: SharedFile): KeptFile<Extra> | null {
    const kept = this.#kept.get(file.localPath);
    if (kept === undefined) return null;
    if (!isSameState(kept.file, file)) {
      this.#kept.delete(file.localPath);
      return null;
    }
    this.#used = true;
    return kept;
  }

  /**
   * Caches a file, unless it has just changed.
   *
   * @param file the result of `fstat` before the file was read.
   * @param now a time (ms since 1970) not later than that `fstat`.
   */
  put(file: SharedFile, bytes: Uint8Array, extra: Extra, now: number): void {
    if (now - Math.max(file.modified, file.changed) < SETTLED_AFTER) return;
    this.#kept.set(file.localPath, { file, bytes, extra });
    this.#used = true;
    if (this.#timer === null) this.#watch();
  }

  /** Frees all cached files. */
  clear(): void {
    this.#kept.clear();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Checks from time to time whether cached files are still requested; stops when the cache is empty. */
  #watch(): void {
    this.#used = false;
    const timer = setTimeout(() => this.#used ? this.#watch() : this.clear(), IDLE_TIME);
    Deno.unrefTimer(timer);
    this.#timer = timer;
  }
}

/** True when two look-ups by the same name found the same file in the same state. */
function isSameState(one: SharedFile, other: SharedFile): boolean {
  return one.inode === other.inode && one.modified === other.modified &&
    one.changed === other.changed && one.size === other.size && one.device === other.device &&
    one.segments.at(-1) === other.segments.at(-1);
}
