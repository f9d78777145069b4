/**
 * Temporary files without a name: what the relay downloads is kept in them until it is verified and
 * nobody needs it any more. The kernel removes them with the process, however that ends.
 */

import fs from "node:fs";
import { join } from "node:path";
import { type Store, StoreFull } from "./store.ts";

/** `O_TMPFILE` of Linux, which `node:fs` has no name for: `__O_TMPFILE | O_DIRECTORY`. */
const O_TMPFILE = 0o20200000;

/** Makes spools in a directory, and keeps account of the room that they take. */
export class SpoolDirectory {
  readonly #path: string;
  readonly #limit: number;
  readonly #spools = new Set<Spool>();

  /**
   * @param path of a directory that may be written to, on a disk and not in memory.
   * @param limit bytes that all spools may take together (`--spool-size`).
   */
  constructor(path: string, limit: number) {
    this.#path = path;
    this.#limit = limit;
  }

  /**
   * Whether there is room for so many bytes: all spools stay below the limit, and below half of what is
   * free without them. Where there is none, closing other spools may make some.
   */
  hasRoom(size: number): boolean {
    const wanted = this.#reserved() + size;
    if (wanted > this.#limit) return false;
    try {
      const { bavail, bsize } = fs.statfsSync(this.#path);
      return wanted <= (bavail * bsize + this.#sum(({ written }) => written)) / 2;
    } catch {
      // Closing spools does not bring a directory back.
      return true;
    }
  }

  /**
   * Makes a spool, and reserves the room for so many bytes, which {@link hasRoom} has said that there is.
   *
   * @returns null when the directory cannot be used.
   */
  create(size: number): Spool | null {
    const descriptor = this.#open() ?? this.#openAnew();
    if (descriptor === null) return null;
    const spool = new Spool(descriptor, size, () => this.#spools.delete(spool));
    this.#spools.add(spool);
    return spool;
  }

  #open(): number | null {
    try {
      return openNameless(this.#path);
    } catch {
      return null;
    }
  }

  /** What cleans `/var/tmp` up removes a directory in which nothing has a name. */
  #openAnew(): number | null {
    try {
      fs.mkdirSync(this.#path, { mode: 0o700 });
    } catch {
      return null;
    }
    return this.#open();
  }

  /** Bytes that are reserved. */
  #reserved(): number {
    return this.#sum(({ size }) => size);
  }

  #sum(of: (spool: Spool) => number): number {
    let sum = 0;
    for (const spool of this.#spools) sum += of(spool);
    return sum;
  }
}

/** A store that keeps all bytes of a file on disk. */
class Spool implements Store {
  readonly keepsAll = true;
  readonly first = 0;
  /** Bytes that are reserved for it. */
  readonly size: number;
  /** Bytes that were written. */
  written = 0;
  readonly #closed: () => void;
  /** Its only way in: a file without a name cannot be opened again. Null when it is closed. */
  #descriptor: number | null;

  constructor(descriptor: number, size: number, closed: () => void) {
    this.#descriptor = descriptor;
    this.size = size;
    this.#closed = closed;
  }

  room(): number {
    return Infinity;
  }

  write(position: number, bytes: Uint8Array): void {
    if (this.#descriptor === null) throw new StoreFull("The spool is closed.");
    try {
      for (let done = 0; done < bytes.length;) {
        done += fs.writeSync(
          this.#descriptor,
          bytes,
          done,
          bytes.length - done,
          position + done,
        );
      }
      this.written += bytes.length;
    } catch (error) {
      throw new StoreFull("The spool cannot be written to.", { cause: error });
    }
  }

  read(position: number, buffer: Uint8Array): number {
    if (this.#descriptor === null) return 0;
    return fs.readSync(this.#descriptor, buffer, 0, buffer.length, position);
  }

  release(): void {}

  close(): void {
    if (this.#descriptor === null) return;
    fs.closeSync(this.#descriptor);
    this.#descriptor = null;
    this.#closed();
  }
}

/** Opens a file that has no name, or loses the one that it was made with at once. */
function openNameless(directory: string): number {
  try {
    return fs.openSync(directory, O_TMPFILE | fs.constants.O_RDWR, 0o600);
  } catch {
    // A file system without O_TMPFILE (NFS, some overlays).
    const path = join(directory, `.spool-${crypto.randomUUID()}`);
    const descriptor = fs.openSync(path, "wx+", 0o600);
    fs.unlinkSync(path);
    return descriptor;
  }
}
