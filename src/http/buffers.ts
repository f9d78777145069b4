/** Buffers into which files are read before they are sent. */

/** The smallest size: buffers are this small while the budget for larger ones is used up. In bytes. */
export const MIN_BUFFER = 64 * 1024;

/** Files up to this size are sent in one piece, which under TLS is four times as fast as in chunks. */
const MAX_BUFFER = 1024 * 1024;

const SIZES = [MIN_BUFFER, 256 * 1024, MAX_BUFFER] as const;

/**
 * A pool of buffers of a few sizes, which are reused because allocating a buffer costs more time than
 * reading a file into it. The buffers lent out have a budget: once it is used up, a reader gets a
 * buffer of the smallest size, so that many slow readers do not hold a megabyte each.
 */
export class BufferPool {
  readonly #idle = new Map<number, Uint8Array<ArrayBuffer>[]>(SIZES.map((size) => [size, []]));
  readonly #budget: number;
  readonly #kept: number;
  #lent = 0;

  /**
   * @param budget bytes that may be lent out before only the smallest size is
   * @param kept how many unused buffers of each size are kept
   */
  constructor(budget: number, kept: number) {
    this.#budget = budget;
    this.#kept = kept;
  }

  /** Lends a buffer for `length` bytes. It may be smaller, and holds bytes of earlier uses. */
  take(length: number): Uint8Array<ArrayBuffer> {
    const fitting = SIZES.find((size) => size >= length) ?? MAX_BUFFER;
    const size = this.#lent + fitting <= this.#budget ? fitting : MIN_BUFFER;
    this.#lent += size;
    return this.#idle.get(size)?.pop() ?? new Uint8Array(size);
  }

  /**
   * Takes a buffer back.
   *
   * @param clean false when a socket may still hold the buffer, as after a broken transfer. It is then
   * not reused, so that no byte of one file can end up in the transfer of another.
   */
  give(buffer: Uint8Array<ArrayBuffer>, clean: boolean): void {
    this.#lent -= buffer.byteLength;
    const idle = this.#idle.get(buffer.byteLength);
    if (clean && idle !== undefined && idle.length < this.#kept) idle.push(buffer);
  }
}
