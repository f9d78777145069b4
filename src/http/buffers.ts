/** Buffers that files are read into on their way out. */

/** Size of a buffer when too many are lent out to lend a larger one. */
export const MIN_BUFFER = 64 * 1024;

/** Files up to this size go out in one piece, which under TLS is four times as fast as in chunks. */
const MAX_BUFFER = 1024 * 1024;

const SIZES = [MIN_BUFFER, 256 * 1024, MAX_BUFFER] as const;

/**
 * Buffers of a few sizes, used again and again: making one for every request costs more than filling
 * it does. All that are lent out together stay within a budget: after that a reader gets one of
 * the smallest, so that many slow readers hold a few megabytes and not one each.
 */
export class BufferPool {
  readonly #idle = new Map<number, Uint8Array<ArrayBuffer>[]>(SIZES.map((size) => [size, []]));
  readonly #budget: number;
  readonly #kept: number;
  #lent = 0;

  /**
   * @param budget bytes that may be lent out before only the smallest are
   * @param kept how many buffers of each size are kept while nobody needs them
   */
  constructor(budget: number, kept: number) {
    this.#budget = budget;
    this.#kept = kept;
  }

  /** A buffer for so many bytes; it may be smaller, and has bytes of earlier uses in it. */
  take(length: number): Uint8Array<ArrayBuffer> {
    const fitting = SIZES.find((size) => size >= length) ?? MAX_BUFFER;
    const size = this.#lent + fitting <= this.#budget ? fitting : MIN_BUFFER;
    this.#lent += size;
    return this.#idle.get(size)?.pop() ?? new Uint8Array(size);
  }

  /**
   * Gives a buffer back.
   *
   * @param clean false when a socket may still hold it, as after a broken transfer: then it is not
   * used again, so that no byte of one file can end up in the transfer of another.
   */
  give(buffer: Uint8Array<ArrayBuffer>, clean: boolean): void {
    this.#lent -= buffer.byteLength;
    const idle = this.#idle.get(buffer.byteLength);
    if (clean && idle !== undefined && idle.length < this.#kept) idle.push(buffer);
  }
}
