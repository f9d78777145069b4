/** What pacman's sync databases say of a file. */

/** The size and the digest that a package must have. */
export interface Expected {
  /** Bytes. */
  readonly size: number;
  /** 32 bytes. */
  readonly sha256: Uint8Array;
}

/** Knows what the databases describe. */
export interface ExpectedFiles {
  /**
   * What a package must be. It may wait for a database that is being read.
   *
   * @param repository that the request names; null: any that has a file of this name.
   * @returns null for a file that no database knows, or that two know differently.
   */
  find(repository: string | null, name: string): Promise<Expected | null>;
}
