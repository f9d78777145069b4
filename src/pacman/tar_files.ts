/**
 * Extracts small files from a tar archive (POSIX.1-2017, ustar) while it is being read.
 *
 * The library `modern-tar`, with which we make archives, is not used here because it makes two streams
 * for each entry. For the 30,000 entries of a database like Arch's largest it takes twice the time, and
 * twice as much memory remains in use afterwards.
 */

import { Buffer } from "node:buffer";
import { Failure } from "../failure.ts";

const BLOCK_SIZE = 512;

const decoder = new TextDecoder();

/** Offset and length of the fields of a header. */
const NAME = [0, 100] as const;
const SIZE = [124, 12] as const;
const CHECKSUM = [148, 8] as const;
const TYPE = 156;
const PREFIX = [345, 155] as const;

/** The type codes of a regular file. */
const REGULAR: readonly number[] = [0x30, 0];

/** A regular file of the archive. */
interface TarFile {
  /** The path in the archive. A name that is too long for the header is truncated. */
  readonly name: string;
  readonly content: Uint8Array;
}

/** The reader. It holds at most a header and the content of one wanted file. */
export class TarFiles {
  readonly #wanted: RegExp;
  readonly #maxSize: number;
  /** Bytes that are not parsed yet: less than a header and a wanted file. */
  #held: Uint8Array = new Uint8Array();
  /** How many bytes to skip. */
  #skip = 0;
  #emptyBlocks = 0;

  /**
   * @param wanted matches the names of the files to extract.
   * @param maxSize in bytes; larger files are skipped.
   */
  constructor(wanted: RegExp, maxSize: number) {
    this.#wanted = wanted;
    this.#maxSize = maxSize;
  }

  /**
   * Takes the next bytes of the archive; yields the wanted files that are complete with them.
   *
   * @throws {Failure} when they are not a tar archive.
   */
  *next(bytes: Uint8Array): Generator<TarFile> {
    // After its end an archive may have any bytes.
    if (this.#emptyBlocks === 2) return;
    const available = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    let position = 0;
    while (true) {
      const skipped = Math.min(this.#skip, available.length - position);
      this.#skip -= skipped;
      position += skipped;
      if (this.#skip > 0 || available.length - position < BLOCK_SIZE) break;
      const header = available.subarray(position, position + BLOCK_SIZE);
      if (this.#isEnd(header)) {
        if (this.#emptyBlocks === 2) break;
        position += BLOCK_SIZE;
        continue;
      }
      const { name, size, isWanted } = this.#parse(header);
      if (isWanted) {
        const start = position + BLOCK_SIZE;
        if (available.length - start < size) break;
        yield { name, content: available.subarray(start, start + size) };
      }
      this.#skip = BLOCK_SIZE + Math.ceil(size / BLOCK_SIZE) * BLOCK_SIZE;
    }
    // A copy, so that the rest of `available` can be freed.
    this.#held = available.slice(position);
  }

  /**
   * Must be called after the last bytes.
   *
   * @throws {Failure} when the archive is incomplete.
   */
  end(): void {
    if (this.#emptyBlocks < 2) throw new Failure("it is truncated, or not a tar archive");
  }

  /** True for a block of zeros. Two of them end the archive; a single one between entries is an error. */
  #isEnd(block: Uint8Array): boolean {
    const isEmpty = block.every((byte) => byte === 0);
    if (isEmpty) this.#emptyBlocks++;
    else if (this.#emptyBlocks > 0) {
      throw new Failure("there is an empty block between its entries");
    }
    return isEmpty;
  }

  #parse(header: Uint8Array): { name: string; size: number; isWanted: boolean } {
    if (octal(header, CHECKSUM) !== checksumOf(header)) {
      throw new Failure("it is not a tar archive, or damaged");
    }
    const size = octal(header, SIZE);
    const isRegular = REGULAR.includes(header[TYPE] ?? -1);
    if (!isRegular || size > this.#maxSize) return { name: "", size, isWanted: false };
    const prefix = text(header, PREFIX);
    const name = (prefix === "" ? "" : `${prefix}/`) + text(header, NAME);
    return { name, size, isWanted: this.#wanted.test(name) };
  }
}

/** The sum of all bytes of a header, with spaces in place of the checksum. */
function checksumOf(header: Uint8Array): number {
  const [start, length] = CHECKSUM;
  let sum = length * 0x20;
  for (const byte of header.subarray(0, start)) sum += byte;
  for (const byte of header.subarray(start + length)) sum += byte;
  return sum;
}

/** Parses an octal number. The binary form, for negative sizes and sizes over 8 GiB, is refused. */
function octal(header: Uint8Array, [start, length]: readonly [number, number]): number {
  const field = header.subarray(start, start + length);
  let digits = 0;
  let value = 0;
  for (const byte of field) {
    const isDigit = byte >= 0x30 && byte <= 0x37;
    const isBlank = byte === 0 || byte === 0x20;
    if (isBlank && digits > 0) break;
    if (isBlank) continue;
    if (!isDigit) throw new Failure("a number in a header is malformed");
    digits++;
    value = value * 8 + byte - 0x30;
  }
  if (digits === 0) throw new Failure("a number in a header is malformed");
  return value;
}

/** The text of a field, up to the first NUL. */
function text(header: Uint8Array, [start, length]: readonly [number, number]): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return decoder.decode(end < 0 ? field : field.subarray(0, end));
}
