/**
 * Spools: temporary files without a name, for the files that the relay downloads. A spool is kept until
 * its file is verified and no longer needed. The kernel removes spools when the process ends in any way.
 */

import process from "node:process";
import { type Store, StoreFull } from "./store.ts";
import { join } from "../../std.ts";

/** `O_TMPFILE` of Linux (`__O_TMPFILE | O_DIRECTORY`). `node:fs` has no constant for it. */
const O_TMPFILE = 0o20200000;

let loaded: typeof import("node:fs") | null = null;

/** Returns `node:fs`. Loading it takes 10 ms, therefore a server without spools never does. */
function fileSystem(): typeof import("node:fs") {
  return loaded ??= process.getBuiltinModule("node:fs");
}

/** Creates spools in a directory, and limits the space that they use. */
export class SpoolDirectory {
  readonly #path: string;
  readonly #limit: number;
  readonly #spools = new Set<Spool>();

  /**
   * @param path of a writable directory, on a disk and not in memory.
   * @param limit of the size of all spools together, in bytes (`--spool-size`).
   */
  constructor(path: string, limit: number) {
    this.#path = path;
    this.#limit = limit;
  }

  /**
   * True when there is space for this number of bytes: all spools stay below the limit, and below half of
   * the space that would be free without them. If false, the caller may close other spools.
   */
  hasRoom(size: number): boolean {
    const wanted = this.#reserved() + size;
    if (wanted > this.#limit) return false;
    try {
      const { bavail, bsize } = fileSystem().statfsSync(this.#path);
      return wanted <= (bavail * bsize + this.#sum(({ written }) => written)) / 2;
    } catch {
      // The directory is missing. Closing spools would not help; `create` makes the directory again.
      return true;
    }
  }

  /**
   * Creates a spool, and reserves this number of bytes. {@link hasRoom} must have returned true for it.
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

  /** Creates the directory again: systemd-tmpfiles removes an old one, because its files have no names. */
  #openAnew(): number | null {
    try {
      fileSystem().mkdirSync(this.#path, { mode: 0o700 });
    } catch {
      return null;
    }
    return this.#open();
  }

  /** Number of bytes that are reserved for all spools. */
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
  /** Number of bytes that are reserved for this spool. */
  readonly size: number;
  /** Number of bytes that have been written. */
  written = 0;
  readonly #closed: () => void;
  /** A file without a name cannot be opened again. Null when the spool is closed. */
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
        done += fileSystem().writeSync(
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
    return fileSystem().readSync(this.#descriptor, buffer, 0, buffer.length, position);
  }

  release(): void {}

  close(): void {
    if (this.#descriptor === null) return;
    fileSystem().closeSync(this.#descriptor);
    this.#descriptor = null;
    this.#closed();
  }
}

/** Opens a new file without a name, or removes its name at once. */
function openNameless(directory: string): number {
  try {
    return fileSystem().openSync(directory, O_TMPFILE | fileSystem().constants.O_RDWR, 0o600);
  } catch {
    // This file system does not support O_TMPFILE (NFS, some overlays).
    const path = join(directory, `.spool-${crypto.randomUUID()}`);
    const descriptor = fileSystem().openSync(path, "wx+", 0o600);
    fileSystem().unlinkSync(path);
    return descriptor;
  }
}
