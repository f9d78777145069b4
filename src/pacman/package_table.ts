/** The package files of a sync database, in one buffer that can be transferred between threads. */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

/** Size and hash of a package file, as a sync database has them. */
export interface ExpectedFile {
  /** In bytes (`%CSIZE%`). */
  readonly size: number;
  /** 32 bytes (`%SHA256SUM%`). */
  readonly sha256: Uint8Array;
}

/** Size of a SHA-256 in bytes. */
const DIGEST_SIZE = 32;

/** Bytes in the table for each package: eight for the hash of its name, eight for its size, its digest. */
const ROW_SIZE = 16 + DIGEST_SIZE;

/**
 * A table of file names, sizes and digests: 48 bytes a package, so 15,000 packages take 720 kB.
 *
 * The buffer has the sorted hashes of all names, then all sizes, then all digests. It is plain data: it
 * can be transferred to another thread, and the constructor makes a table of it there.
 */
export class PackageTable {
  readonly buffer: ArrayBuffer;
  readonly #hashes: BigUint64Array;
  readonly #sizes: Float64Array;
  readonly #digests: Uint8Array;

  /** @param buffer of a table that {@link PackageTableBuilder} made. */
  constructor(buffer: ArrayBuffer) {
    const count = buffer.byteLength / ROW_SIZE;
    this.buffer = buffer;
    this.#hashes = new BigUint64Array(buffer, 0, count);
    this.#sizes = new Float64Array(buffer, 8 * count, count);
    this.#digests = new Uint8Array(buffer, 16 * count, DIGEST_SIZE * count);
  }

  /** Number of packages. */
  get size(): number {
    return this.#hashes.length;
  }

  /** Size and hash of the file with this name; null when the name is not in the database. */
  find(name: string): ExpectedFile | null {
    const hash = nameHash(name);
    let [low, high] = [0, this.#hashes.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#hashes[middle] ?? 0n) < hash) low = middle + 1;
      else high = middle;
    }
    if (this.#hashes[low] !== hash) return null;
    const start = DIGEST_SIZE * low;
    return {
      size: this.#sizes[low] ?? 0,
      // A copy: the caller may keep or change it.
      sha256: this.#digests.slice(start, start + DIGEST_SIZE),
    };
  }
}

/**
 * Collects files for a table. It keeps no strings, because the runtime keeps the whole text in memory
 * as long as there is a substring of it, and the texts are most of the database.
 */
export class PackageTableBuilder {
  /** The row of each name's hash. */
  readonly #rows = new Map<bigint, number>();
  readonly #contradictory = new Set<bigint>();
  readonly #sizes: number[] = [];
  #digests = new Uint8Array(1024 * DIGEST_SIZE);

  /**
   * Adds a file. A name that is added twice with different values is left out of the table.
   *
   * @param size in bytes.
   * @param sha256 64 hexadecimal digits.
   */
  add(name: string, size: number, sha256: string): void {
    const hash = nameHash(name);
    const row = this.#sizes.length;
    this.#reserve(row);
    this.#digestAt(row).setFromHex(sha256);
    const earlier = this.#rows.get(hash);
    if (earlier === undefined) {
      this.#rows.set(hash, row);
      this.#sizes.push(size);
    } else if (
      this.#sizes[earlier] !== size ||
      Buffer.compare(this.#digestAt(earlier), this.#digestAt(row)) !== 0
    ) {
      this.#contradictory.add(hash);
    }
  }

  /** Makes the table of the added files. */
  build(): PackageTable {
    for (const hash of this.#contradictory) this.#rows.delete(hash);
    const hashes = BigUint64Array.from(this.#rows.keys()).sort();
    const count = hashes.length;
    const buffer = new ArrayBuffer(ROW_SIZE * count);
    new BigUint64Array(buffer, 0, count).set(hashes);
    const sizes = new Float64Array(buffer, 8 * count, count);
    const digests = new Uint8Array(buffer, 16 * count);
    hashes.forEach((hash, index) => {
      const row = this.#rows.get(hash) ?? 0;
      sizes[index] = this.#sizes[row] ?? 0;
      digests.set(this.#digestAt(row), DIGEST_SIZE * index);
    });
    return new PackageTable(buffer);
  }

  #digestAt(row: number): Uint8Array {
    return this.#digests.subarray(DIGEST_SIZE * row, DIGEST_SIZE * (row + 1));
  }

  #reserve(row: number): void {
    if (DIGEST_SIZE * row < this.#digests.length) return;
    const larger = new Uint8Array(2 * this.#digests.length);
    larger.set(this.#digests);
    this.#digests = larger;
  }
}

/** Returns 64 bits of the name's SHA-256. Two names with the same bits are too hard to find. */
function nameHash(name: string): bigint {
  return createHash("sha256").update(name).digest().readBigUInt64LE();
}
