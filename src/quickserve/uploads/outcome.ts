/** What became of an upload. */

/** A file that was stored. */
export interface StoredFile {
  /** The name it has now. */
  readonly name: string;
  /** The name that the client gave it; another than `name` where that was taken. */
  readonly requested: string;
  /** In bytes. */
  readonly size: number;
  /** True when it took the place of another file (`--allow-overwrite`). */
  readonly replaced: boolean;
}

/** A file that was not stored; nothing of it was kept. */
export interface RefusedFile {
  /** The name that the client gave it; empty for what has none. */
  readonly name: string;
  /** A sentence for people. */
  readonly reason: string;
  /** The status that fits (RFC 9110 §15): 400, 409, 413, 500 or 507. */
  readonly status: number;
}

/** All files of one request, in the order in which they came. */
export interface UploadOutcome {
  readonly uploaded: readonly StoredFile[];
  readonly failed: readonly RefusedFile[];
}

/** Why a file, or what is left of a request, is not stored. */
export class UploadRefused extends Error {
  override readonly name: string = "UploadRefused";

  constructor(readonly status: number, message: string) {
    super(message);
  }
}

/** The status of the reply: 201 when everything was stored, else that of the first failure. */
export function outcomeStatus(outcome: UploadOutcome): number {
  return outcome.failed[0]?.status ?? 201;
}
