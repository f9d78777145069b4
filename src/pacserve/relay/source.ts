/** The interface of a source of a file, and the errors that it can have. */

import type { FileSource } from "../../http/exchange.ts";

/**
 * The kind of a source. It decides how long the source may be silent, and whether its bytes must wait:
 * - `copy`: a peer's complete copy;
 * - `in-flight`: a file that a peer is still downloading;
 * - `mirror`: a server that pacman would use without pacserve.
 */
export type SourceKind = "copy" | "in-flight" | "mirror";

/** The kinds as replies and counters name them. */
const FILE_SOURCES: Readonly<Record<SourceKind, FileSource>> = {
  "copy": "peer",
  "in-flight": "inFlight",
  "mirror": "mirror",
};

/** Returns the name of the source's kind for replies and counters. */
export function fileSourceOf({ kind }: Pick<Source, "kind">): FileSource {
  return FILE_SOURCES[kind];
}

/** The reason why a source provides no (more) bytes. */
export type FailureKind =
  /** The source does not have the file. This is not its fault. */
  | "absent"
  /** A connection to the source could not be opened. */
  | "unreachable"
  /** The source answered with something other than the file, or with another length. */
  | "refused"
  /** The source answered without a length, which pacman accepts, but the relay does not. */
  | "lengthless"
  /** The source broke off, or was silent or too slow. */
  | "broken"
  /** The whole file arrived, but has another digest. */
  | "wrong"
  /** The file is not newer than the one that the client has (304). */
  | "unmodified";

/** Thrown when a source provides no (more) bytes. In the log, the message follows the source's name. */
export class SourceFailure extends Error {
  override readonly name: string = "SourceFailure";
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** The bytes of a file that a source sends. */
export interface SourceStream {
  /** Position in the file of the first byte of the stream: at or before the requested one. */
  readonly from: number;
  /** Size of the whole file in bytes. */
  readonly size: number;
  /** The `Last-Modified` of the source's answer. */
  readonly lastModified: string | null;
  /** The instances through which the bytes come, if the answer names them (`Via`). */
  readonly via?: readonly string[];
  /**
   * Reads into the buffer.
   *
   * @returns the number of bytes that were read, or null at the end.
   * @throws {SourceFailure} when the connection ends too early.
   */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Ends the stream; a pending `read` throws. May be called more than once. */
  close(): void;
}

/** A server that can provide a file. */
export interface Source {
  readonly kind: SourceKind;
  /** For the log, without credentials: `peer http://10.0.0.2:15678`, `mirror https://example.org`. */
  readonly name: string;
  /** Identifies the source among those of the same file. */
  readonly key: string;
  /** True when the requests have credentials: then only this host may get the file. */
  readonly isPrivate?: boolean;
  /** True when there was a connection to the source; left out if that is unknown. */
  readonly isReached?: boolean;
  /** Milliseconds that it may be silent in addition to the limit of its kind; 0 by default. */
  readonly patience?: number;
  /** The instances through which an in-flight file comes; the requested one is the first. */
  readonly chain?: readonly string[];
  /**
   * Requests the file, beginning at the position `from`.
   *
   * @param size expected size of the file in bytes; null when it is unknown.
   * @throws {SourceFailure} when the source does not provide the file, or the signal aborts.
   */
  open(from: number, size: number | null, signal: AbortSignal): Promise<SourceStream>;
}
