/** Where the bytes of a download are: in a spool, or in a window. */

/** Bytes by position in the file. */
export interface Store {
  /** Position of the first byte that is still here. */
  readonly first: number;
  /** How many bytes may be written at a position now; 0: a reader has to go on first. */
  room(position: number): number;
  /**
   * Writes behind what was written before.
   *
   * @throws {StoreFull} when there is no room where some was promised: the disk is full.
   */
  write(position: number, bytes: Uint8Array): void;
  /** Reads what was written and not released; returns the number of bytes. */
  read(position: number, buffer: Uint8Array): number;
  /** The only reader does not need bytes before this position any more. */
  release(position: number): void;
  /** True when the store keeps all bytes, so that several readers may read and any position be had. */
  readonly keepsAll: boolean;
  /** Gives back what it takes. Again does no harm. */
  close(): void;
}

/** Makes stores: the downloads (spools, where there is room), or windows alone. */
export interface Stores {
  /** A store for a file of so many bytes, of which those from a position on are wanted. */
  create(start: number, size: number): Store;
}

/** The disk has no room, although some was reserved. */
export class StoreFull extends Error {
  override readonly name: string = "StoreFull";
}
