/** The interface of a store, which contains the bytes of a download: a spool or a window. */

/** Stores the bytes of a file by their position. */
export interface Store {
  /** Position of the first byte that can still be read. */
  readonly first: number;
  /** Returns the number of bytes that may be written at a position now. If 0, a reader must read first. */
  room(position: number): number;
  /**
   * Writes the bytes that follow the last written one.
   *
   * @throws {StoreFull} when the disk is full, although space was reserved.
   */
  write(position: number, bytes: Uint8Array): void;
  /** Reads bytes that were written and not released; returns their number. */
  read(position: number, buffer: Uint8Array): number;
  /** Must be called when the only reader does not need bytes before this position any more. */
  release(position: number): void;
  /** True when the store keeps all bytes: then it can have several readers, at any position. */
  readonly keepsAll: boolean;
  /** Frees the memory or disk space. May be called more than once. */
  close(): void;
}

/** Creates stores: spools if there is space, or only windows. */
export interface Stores {
  /** Creates a store for a file of `size` bytes. The bytes before the position `start` are not needed. */
  create(start: number, size: number): Store;
}

/** Thrown when the disk is full, although space was reserved. */
export class StoreFull extends Error {
  override readonly name: string = "StoreFull";
}
