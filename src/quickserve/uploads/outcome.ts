/** The outcome of an upload. */

/** A file that was stored. */
export interface StoredFile {
  /** The name under which it was stored. */
  readonly name: string;
  /** The name that the client sent. It differs from `name` if it was taken. */
  readonly requested: string;
  /** In bytes. */
  readonly size: number;
  /** True when it replaced another file (`--allow-overwrite`). */
  readonly replaced: boolean;
}

/** A file that was refused. No part of it is stored. */
export interface RefusedFile {
  /** The name that the client sent; empty if there is none. */
  readonly name: string;
  /** The reason as a sentence for the user. */
  readonly reason: string;
  /** The status of the reply (RFC 9110 §15): 400, 409, 413, 500 or 507. */
  readonly status: number;
}

/** The outcome of all files of one request, in the order of their arrival. */
export interface UploadOutcome {
  readonly uploaded: readonly StoredFile[];
  readonly failed: readonly RefusedFile[];
}

/** Thrown when a file, or the rest of a request, is not stored. */
export class UploadRefused extends Error {
  override readonly name: string = "UploadRefused";

  constructor(readonly status: number, message: string) {
    super(message);
  }
}

/** Returns the status of the reply: 201 when everything was stored, else the status of the first failure. */
export function outcomeStatus(outcome: UploadOutcome): number {
  return outcome.failed[0]?.status ?? 201;
}
