/** What this host's pacman received for its packages, until a transaction with them tells the user. */

import { LRUCache } from "lru-cache";

/** Bytes that came, and how many of them from machines of the LAN. */
export interface ReceivedBytes {
  readonly lan: number;
  readonly total: number;
}

/** The last download of a package. Plain data. */
export interface ReceivedPackage extends ReceivedBytes {
  /** Name of the file. */
  readonly file: string;
}

/** Packages that are remembered: more than most systems have. */
const MAX_PACKAGES = 8_192;

/** The name of a package in that of its file: `foo-bar` of `foo-bar-1:2.0-1-x86_64.pkg.tar.zst`. */
const FILE_NAME = /^(.+)-[^-]+-[^-]+-[^-]+\.pkg\.tar(?:\.\w+)?$/;

/**
 * Remembers the last download of each package. Only that one counts, because another system on this
 * host (a chroot) may have downloaded the package, too. A download counts until a transaction asks for
 * its package, whichever transaction fetched it: `pacman -Sw` and one that was cancelled install nothing,
 * and therefore ask for nothing.
 */
export class ReceivedPackages {
  readonly #packages = new LRUCache<string, ReceivedPackage>({ max: MAX_PACKAGES });

  /**
   * A download of a file is over.
   *
   * @param isRest the client had a part of the file already, and these bytes follow it.
   */
  add(file: string, { lan, total }: ReceivedBytes, isRest: boolean): void {
    const name = packageName(file);
    if (name === null || total === 0) return;
    const before = this.#packages.get(name);
    const part = isRest && before?.file === file ? before : { lan: 0, total: 0 };
    this.#packages.set(name, { file, lan: part.lan + lan, total: part.total + total });
  }

  /** What the last downloads of these packages brought; each is told once. */
  take(names: Iterable<string>): ReceivedBytes {
    let [lan, total] = [0, 0];
    for (const name of names) {
      const received = this.#packages.get(name);
      if (received === undefined) continue;
      this.#packages.delete(name);
      lan += received.lan;
      total += received.total;
    }
    return { lan, total };
  }

  /** What another server that takes over should know, the oldest first. */
  export(): ReceivedPackage[] {
    return [...this.#packages.values()].reverse();
  }

  /** Takes over what {@link export} gave. */
  import(packages: readonly ReceivedPackage[]): void {
    for (const received of packages) this.add(received.file, received, false);
  }
}

/** The name of the package in a file; null for any other file. */
function packageName(file: string): string | null {
  return FILE_NAME.exec(file)?.[1] ?? null;
}
