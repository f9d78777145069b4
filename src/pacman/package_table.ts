/** What a sync database says of its packages, in one buffer that threads can hand over. */

import { createHash } from "node:crypto";

/** What a package file must be. */
export interface ExpectedFile {
  /** Bytes (`%CSIZE%`). */
  readonly size: number;
  /** 32 bytes (`%SHA256SUM%`). */
  readonly sha256: Uint8Array;
}

/** Bytes of a SHA-256. */
const DIGEST_SIZE = 32;

/** Bytes that a package takes: eight of its name's hash, eight of its size, and its digest. */
const ROW_SIZE = 16 + DIGEST_SIZE;

/**
 * A table of file names, sizes and digests: 48 bytes a package, so 15,000 packages take 720 kB.
 *
 * The buffer has the sorted hashes of all names, then all sizes, then all digests. It is plain data:
 * post it to another thread (and transfer it), and make a table of it there.
 */
export class PackageTable {
  readonly buffer: ArrayBuffer;
  readonly #hashes: BigUint64Array;
  readonly #sizes: Float64Array;
  readonly #digests: Uint8Array;

  /** @param buffer of a table that {@link tableOf} made. */
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

  /** What the database says of the file with this name; null when it does not know the name. */
  find(name: string): ExpectedFile | null {
    const hash = hashOf(name);
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

/** Makes a table of file names and what these files must be. */
export function tableOf(files: ReadonlyMap<string, ExpectedFile>): PackageTable {
  const rows = [...files].map(([name, file]) => ({ hash: hashOf(name), file }));
  rows.sort((one, other) => one.hash < other.hash ? -1 : 1);
  const buffer = new ArrayBuffer(ROW_SIZE * rows.length);
  const hashes = new BigUint64Array(buffer, 0, rows.length);
  const sizes = new Float64Array(buffer, 8 * rows.length, rows.length);
  const digests = new Uint8Array(buffer, 16 * rows.length);
  rows.forEach(({ hash, file }, index) => {
    hashes[index] = hash;
    sizes[index] = file.size;
    digests.set(file.sha256, DIGEST_SIZE * index);
  });
  return new PackageTable(buffer);
}

/** 64 bits of the name's SHA-256: nobody can make two names that are one here by chance or soon. */
function hashOf(name: string): bigint {
  return createHash("sha256").update(name).digest().readBigUInt64LE();
}
