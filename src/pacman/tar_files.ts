/**
 * Finds small files in a tar archive (POSIX.1-2017, ustar) while it arrives.
 *
 * `modern-tar`, which archives are made with, makes two streams for each entry. With the 30,000 entries
 * of a database like Arch's largest it takes twice the time, and twice the memory that stays behind.
 */

import { Buffer } from "node:buffer";
import { Failure } from "../failure.ts";

const BLOCK_SIZE = 512;

const decoder = new TextDecoder();

/** The fields of a header: where they begin, and how long they are. */
const NAME = [0, 100] as const;
const SIZE = [124, 12] as const;
const CHECKSUM = [148, 8] as const;
const TYPE = 156;
const PREFIX = [345, 155] as const;

/** Types of a regular file. */
const REGULAR: readonly number[] = [0x30, 0];

/** A regular file of the archive. */
interface TarFile {
  /** With its directories. A name that has no room in the header is cut off. */
  readonly name: string;
  readonly content: Uint8Array;
}

/** Holds a header and the content of a wanted file at most. */
export class TarFiles {
  readonly #wanted: RegExp;
  readonly #maxSize: number;
  /** What was not used yet: less than a header and a wanted file. */
  #held: Uint8Array = new Uint8Array();
  /** Bytes to pass over. */
  #skip = 0;
  #emptyBlocks = 0;

  /**
   * @param wanted the names of the files that are wanted.
   * @param maxSize larger files are passed over.
   */
  constructor(wanted: RegExp, maxSize: number) {
    this.#wanted = wanted;
    this.#maxSize = maxSize;
  }

  /**
   * The wanted files that end in the next bytes of the archive.
   *
   * @throws {Failure} when they are no archive.
   */
  *next(bytes: Uint8Array): Generator<TarFile> {
    // Behind its end an archive may have anything.
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
    // A copy: the rest of these bytes is not kept in memory for it.
    this.#held = available.slice(position);
  }

  /**
   * There are no more bytes.
   *
   * @throws {Failure} when the archive should have gone on.
   */
  end(): void {
    if (this.#emptyBlocks < 2) throw new Failure("it is truncated, or no tar archive");
  }

  /** Two blocks of zeros are the end; one between entries is a mistake. */
  #isEnd(block: Uint8Array): boolean {
    const isEmpty = block.every((byte) => byte === 0);
    if (isEmpty) this.#emptyBlocks++;
    else if (this.#emptyBlocks > 0) throw new Failure("it goes on behind its end");
    return isEmpty;
  }

  #parse(header: Uint8Array): { name: string; size: number; isWanted: boolean } {
    if (octal(header, CHECKSUM) !== checksumOf(header)) {
      throw new Failure("it is no tar archive, or damaged");
    }
    const size = octal(header, SIZE);
    const isRegular = REGULAR.includes(header[TYPE] ?? -1);
    if (!isRegular || size > this.#maxSize) return { name: "", size, isWanted: false };
    const prefix = text(header, PREFIX);
    const name = (prefix === "" ? "" : `${prefix}/`) + text(header, NAME);
    return { name, size, isWanted: this.#wanted.test(name) };
  }
}

/** The sum of all bytes, as if the field of the checksum were of spaces. */
function checksumOf(header: Uint8Array): number {
  const [start, length] = CHECKSUM;
  let sum = length * 0x20;
  for (const byte of header.subarray(0, start)) sum += byte;
  for (const byte of header.subarray(start + length)) sum += byte;
  return sum;
}

/** A number of octal digits. The binary form of sizes over 8 GiB, or negative, is refused. */
function octal(header: Uint8Array, [start, length]: readonly [number, number]): number {
  const field = header.subarray(start, start + length);
  let digits = 0;
  let value = 0;
  for (const byte of field) {
    const isDigit = byte >= 0x30 && byte <= 0x37;
    const isBlank = byte === 0 || byte === 0x20;
    if (isBlank && digits > 0) break;
    if (isBlank) continue;
    if (!isDigit) throw new Failure("it has a number that is none");
    digits++;
    value = value * 8 + byte - 0x30;
  }
  if (digits === 0) throw new Failure("it has a number that is none");
  return value;
}

/** Text up to the first NUL. */
function text(header: Uint8Array, [start, length]: readonly [number, number]): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return decoder.decode(end < 0 ? field : field.subarray(0, end));
}
