/** Who can give a file, and what happens when it is asked. */

/**
 * What a source is, which decides how long it may be silent and whether its bytes wait:
 * - `copy`: a peer's complete copy;
 * - `in-flight`: a file that a peer is still downloading;
 * - `mirror`: what plain pacman would have asked.
 */
export type SourceKind = "copy" | "in-flight" | "mirror";

/** Why a source gives nothing (more). */
export type FailureKind =
  /** It has no such file, which is no failure of the source. */
  | "absent"
  /** There is no connection to it. */
  | "unreachable"
  /** It answers with something else than the file, or with another length. */
  | "refused"
  /** It answers without a length, which pacman may take and the relay may not. */
  | "lengthless"
  /** It broke off, or was silent, or crawled. */
  | "broken"
  /** All of it came, and its digest is another one. */
  | "wrong"
  /** What was asked for is not newer than what the client has (304). */
  | "unmodified";

/** A source gives nothing (more). The message follows the source's name in the log. */
export class SourceFailure extends Error {
  override readonly name: string = "SourceFailure";
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** A file as it comes from a source. */
export interface SourceStream {
  /** Position in the file of the first byte that it gives: not behind the one that was asked for. */
  readonly from: number;
  /** Bytes of the whole file. */
  readonly size: number;
  /** The source's `Last-Modified`. */
  readonly lastModified: string | null;
  /** The servers that its bytes come through (`Via`), where it says so. */
  readonly via?: readonly string[];
  /**
   * Reads into the buffer.
   *
   * @returns bytes that were read, or null at the end.
   * @throws {SourceFailure}
   */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Ends it; a reading under way throws. Again does no harm. */
  close(): void;
}

/** One that can give a file. */
export interface Source {
  readonly kind: SourceKind;
  /** For the log, without credentials: `peer http://10.0.0.2:15678`, `mirror https://example.org`. */
  readonly name: string;
  /** Tells sources of one file apart. */
  readonly key: string;
  /** True for one that was asked with credentials: what it gives is for this host alone. */
  readonly isPrivate?: boolean;
  /** Whether there was a connection to it; left out where that is not known. */
  readonly isReached?: boolean;
  /** So much longer (ms) it may be silent than others of its kind; 0 by default. */
  readonly patience?: number;
  /** The instances that an in-flight file comes through, the one that is asked first. */
  readonly chain?: readonly string[];
  /**
   * Asks for the file from a position on.
   *
   * @param size that the file must have; null when nobody knows.
   * @throws {SourceFailure} also when the signal aborts.
   */
  open(from: number, size: number | null, signal: AbortSignal): Promise<SourceStream>;
}
