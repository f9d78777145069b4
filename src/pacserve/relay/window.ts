/** A store in memory for a single reader, with the last bytes that it has not read yet. */

import type { Store, Stores } from "./store.ts";

/** Maximum size of a window in bytes. */
const WINDOW_SIZE = 2 * 1024 * 1024;

/** A ring buffer of at most {@link WINDOW_SIZE} bytes. While it is full, the source waits. */
export class Window implements Store {
  readonly keepsAll = false;
  readonly #ring: Uint8Array;
  first: number;
  /** Position after the last byte that was written. */
  #end: number;

  /**
   * @param start position of the first byte.
   * @param size of the file in bytes; null when it is unknown. A small file gets a smaller buffer.
   */
  constructor(start: number, size: number | null) {
    const wanted = size === null ? WINDOW_SIZE : Math.max(1, size - start);
    this.#ring = new Uint8Array(Math.min(WINDOW_SIZE, wanted));
    this.first = start;
    this.#end = start;
  }

  room(position: number): number {
    return this.first + this.#ring.length - position;
  }

  write(position: number, bytes: Uint8Array): void {
    const at = position % this.#ring.length;
    const first = bytes.subarray(0, this.#ring.length - at);
    this.#ring.set(first, at);
    this.#ring.set(bytes.subarray(first.length), 0);
    this.#end = position + bytes.length;
  }

  /** @throws when these bytes have been overwritten with later ones. */
  read(position: number, buffer: Uint8Array): number {
    if (position < this.first || position + buffer.length > this.#end) {
      throw new Error("These bytes are no longer in the window.");
    }
    const at = position % this.#ring.length;
    const first = this.#ring.subarray(at, Math.min(this.#ring.length, at + buffer.length));
    buffer.set(first);
    buffer.set(this.#ring.subarray(0, buffer.length - first.length), first.length);
    return buffer.length;
  }

  release(position: number): void {
    this.first = Math.max(this.first, position);
  }

  close(): void {}
}

/** Creates windows for a part of a file. */
export class Windows implements Stores {
  readonly #end: number | null;

  /** @param end position after the last byte; null for the file's end. */
  constructor(end: number | null) {
    this.#end = end;
  }

  create(start: number, size: number): Window {
    return new Window(start, this.#end ?? size);
  }
}
