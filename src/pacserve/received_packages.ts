/** Counts the bytes of each package that pacman on this host received, for the report of a transaction. */

import { BoundedMap } from "../bounded_map.ts";

/** The number of received bytes, in total and from machines of the LAN. */
export interface ReceivedBytes {
  readonly lan: number;
  readonly total: number;
}

/** The last download of a package. Plain data. */
export interface ReceivedPackage extends ReceivedBytes {
  /** Name of the file. */
  readonly file: string;
}

/** Maximum number of stored packages. It is more than most systems have. */
const MAX_PACKAGES = 8_192;

/** Matches a file name, and captures the package name: `foo-bar` of `foo-bar-1:2.0-1-x86_64.pkg.tar.zst`. */
const FILE_NAME = /^(.+)-[^-]+-[^-]+-[^-]+\.pkg\.tar(?:\.\w+)?$/;

/**
 * Stores the last download of each package. Earlier ones do not count, because another system on this host
 * (a chroot) may have downloaded the package, too. A download is stored until a transaction installs its
 * package, even if another one has downloaded it: `pacman -Sw` and a cancelled transaction install nothing.
 */
export class ReceivedPackages {
  readonly #packages = new BoundedMap<string, ReceivedPackage>(MAX_PACKAGES);

  /**
   * Must be called when a download of a file has ended.
   *
   * @param isRest true when the client already had a part of the file, and these bytes follow it.
   */
  add(file: string, { lan, total }: ReceivedBytes, isRest: boolean): void {
    const name = packageName(file);
    if (name === null || total === 0) return;
    const before = this.#packages.get(name);
    const part = isRest && before?.file === file ? before : { lan: 0, total: 0 };
    this.#packages.set(name, { file, lan: part.lan + lan, total: part.total + total });
  }

  /** Returns the bytes of the last downloads of these packages, and removes these downloads. */
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

  /** Returns the state for {@link import} in a new worker, the oldest download first. */
  export(): ReceivedPackage[] {
    return [...this.#packages.values()].reverse();
  }

  /** Adds the state that {@link export} returned in another worker. */
  import(packages: readonly ReceivedPackage[]): void {
    for (const received of packages) this.add(received.file, received, false);
  }
}

/** Returns the name of the package in a file; null when the file is not a package. */
function packageName(file: string): string | null {
  return FILE_NAME.exec(file)?.[1] ?? null;
}
