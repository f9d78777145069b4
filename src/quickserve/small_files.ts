/** Small files that are kept in memory, for as long as they are what is on the disk. */

import { LRUCache } from "lru-cache";
import type { SharedFile } from "./shared.ts";

/** A file in memory, with what its reply needs. */
export interface KeptFile<Extra> {
  /** The name under which it was asked for. */
  readonly name: string;
  readonly size: number;
  readonly modified: number;
  readonly changed: number;
  readonly device: number;
  readonly inode: number;
  readonly bytes: Uint8Array;
  readonly extra: Extra;
}

/** Files up to this size (bytes) are kept. */
export const MAX_SMALL_FILE = 1024 * 1024;

/** What all kept files may take together, in bytes. */
const DEFAULT_BUDGET = 32 * 1024 * 1024;

/** A file that changed less than this ago (ms) may change again and keep the same time on its inode. */
const SETTLED_AFTER = 2000;

/** Nothing is kept after this time (ms) without a request for any of it. */
const IDLE_TIME = 60_000;

/**
 * Keeps files that were read through the tree's checks, those used last.
 *
 * A kept file is good only while the file that a request has just looked up has the same inode, size
 * and times. The inode's own time changes with every change of the content and cannot be set back,
 * so an equal one means equal bytes; but the kernel's clock has ticks, so a file is kept only when
 * its last change lies some time back.
 */
export class SmallFiles<Extra> {
  readonly #kept: LRUCache<string, KeptFile<Extra>>;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #used = false;

  /** @param budget in bytes, for all kept files together. */
  constructor(budget: number = DEFAULT_BUDGET) {
    this.#kept = new LRUCache({
      maxSize: budget,
      maxEntrySize: MAX_SMALL_FILE + 1024,
      // What a file costs besides its bytes.
      sizeCalculation: (file): number => file.bytes.length + 1024,
    });
  }

  /** The content of a file that has just been looked up; null when it is not kept or has changed. */
  get(file: SharedFile): KeptFile<Extra> | null {
    const kept = this.#kept.get(file.localPath);
    if (kept === undefined) return null;
    if (
      kept.inode !== file.inode || kept.modified !== file.modified ||
      kept.changed !== file.changed || kept.size !== file.size || kept.device !== file.device ||
      kept.name !== file.segments.at(-1)
    ) {
      this.#kept.delete(file.localPath);
      return null;
    }
    this.#used = true;
    return kept;
  }

  /**
   * Keeps a file, if it has not changed lately.
   *
   * @param file as `fstat` described it before it was read.
   * @param now when that was, or before (ms since 1970).
   */
  put(file: SharedFile, bytes: Uint8Array, extra: Extra, now: number): void {
    if (now - Math.max(file.modified, file.changed) < SETTLED_AFTER) return;
    const { size, modified, changed, device, inode } = file;
    const name = file.segments.at(-1) ?? "";
    this.#kept.set(file.localPath, {
      name,
      size,
      modified,
      changed,
      device,
      inode,
      bytes,
      extra,
    });
    this.#used = true;
    if (this.#timer === null) this.#watch();
  }

  /** Lets go of everything. */
  clear(): void {
    this.#kept.clear();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Looks now and then whether anything is still asked for, as long as something is kept. */
  #watch(): void {
    this.#used = false;
    const timer = setTimeout(() => this.#used ? this.#watch() : this.clear(), IDLE_TIME);
    Deno.unrefTimer(timer);
    this.#timer = timer;
  }
}
