/** The state of one download: writes the bytes of its sources to a store, and hashes them. */

import { createHash, type Hash } from "node:crypto";
import { type Signature, SignatureHash } from "../signature.ts";
import { type Source, SourceFailure, type SourceStream } from "./source.ts";
import type { Store, Stores } from "./store.ts";

/** The options of {@link Download}. */
interface DownloadOptions {
  readonly name: string;
  /** Size of the whole file in bytes; null when it is unknown. */
  readonly size: number | null;
  /** Null when the digest is unknown: then the file is not verified. */
  readonly sha256: Uint8Array | null;
  /** False for a part of a file. It cannot be verified, and is requested only from mirrors. */
  readonly isWhole: boolean;
  /** Position of the first byte that is fetched. */
  readonly start: number;
  /** Position after the last byte that is fetched; null for the file's end. */
  readonly end: number | null;
  /** True when bytes of two sources may be combined: not those of a database, because it changes. */
  readonly resumable: boolean;
  /** Milliseconds that the bytes of a mirror wait before readers get them. */
  readonly hold: number;
  /** Creates the store when the size is known. */
  readonly stores: Stores;
}

/**
 * The state of a download:
 * - `fetching`: bytes are missing;
 * - `complete`: all bytes have arrived, and are verified if the digest is known;
 * - `spoiled`: the file is wrong, but the download is exposed. Readers get the whole file, because
 *   pacman then deletes it. It would keep a part, and append the bytes of the next server to it;
 * - `failed`: no source provides the rest.
 */
type DownloadState = "fetching" | "complete" | "spoiled" | "failed";

/** The bytes `from` (included) to `to` (excluded), which came from one source. */
export interface Segment {
  readonly source: Source;
  readonly from: number;
  to: number;
}

/** Maximum number of bytes that are hashed at once for a signature which came later than they. */
const CATCH_UP = 4 * 1024 * 1024;

/** Number of bytes of a mirror that readers do not get yet, so that there are some for the lifeline. */
const RESERVE = 4096;

/** A download. `failover.ts` writes to it, and `reader.ts` reads from it. */
export class Download {
  readonly name: string;
  readonly isWhole: boolean;
  readonly start: number;
  /** Position of the last byte that is fetched; null for the file's end. */
  readonly last: number | null;
  readonly resumable: boolean;
  /** True when the whole file can be verified at its end. */
  readonly isVerifiable: boolean;
  state: DownloadState = "fetching";
  /** The reason when the state is `failed`. */
  failure: Error | null = null;
  /** The `Last-Modified` of the first source that answered. */
  lastModified: string | null = null;
  /** Position after the last byte that has arrived. */
  received: number;
  /** Position up to which all bytes came from mirrors: pacman alone would have got the same ones. */
  trusted: number;
  segments: Segment[] = [];
  /** True when the whole file has arrived and has the expected digest. */
  isVerified = false;
  /**
   * True when a reader has bytes that are not verified: then the download cannot start again. If the download
   * is verifiable, bytes of the lifeline do not count.
   */
  exposed = false;
  /** True when a reader has any bytes. */
  hasBegun = false;
  readonly #options: DownloadOptions;
  readonly #listeners = new Set<() => void>();
  #size: number | null;
  #store: Store | null = null;
  #hash: Hash | null;
  #signed: SignatureHash | null = null;
  #holdTimer: ReturnType<typeof setTimeout> | undefined;
  #isHeld = true;

  constructor(options: DownloadOptions) {
    this.#options = options;
    this.name = options.name;
    this.isWhole = options.isWhole;
    this.start = options.start;
    this.last = options.end === null ? null : options.end - 1;
    this.resumable = options.resumable;
    this.isVerifiable = options.isWhole && options.sha256 !== null;
    this.received = options.start;
    this.trusted = options.start;
    this.#size = options.size;
    this.#hash = newHash(options);
    // Reserve the space before the first byte, so that others can share the download from the beginning.
    if (options.size !== null) this.#store = options.stores.create(options.start, options.size);
  }

  /** Size of the whole file in bytes; null while it is unknown. */
  get size(): number | null {
    return this.#size;
  }

  /** Position after the last byte that will be fetched; null while it is unknown. */
  get end(): number | null {
    if (this.#size === null) return null;
    return Math.min(this.#options.end ?? this.#size, this.#size);
  }

  /** The size that a source must report; null while any size is accepted. */
  get requiredSize(): number | null {
    return this.#options.size ?? (this.received > this.start ? this.#size : null);
  }

  /** True when the store keeps all bytes, for several and for later readers. */
  get isKept(): boolean {
    return this.#store?.keepsAll ?? false;
  }

  /** The store with the received bytes; null while the size is unknown. */
  get store(): Store | null {
    return this.#store;
  }

  /**
   * Must be called when a source has answered with the required size, before its bytes are appended.
   *
   * @throws {SourceFailure} when the store has no space for the whole file of a peer, which must be verified
   * before readers get it.
   */
  begin({ size, lastModified }: SourceStream, { kind }: Source): void {
    if (this.received === this.start) this.#size = this.#options.size ?? size;
    this.lastModified ??= lastModified;
    this.#store ??= this.#options.stores.create(this.start, size);
    const end = this.end ?? size;
    if (kind !== "mirror" && this.#store.room(this.start) < end - this.start) {
      throw new SourceFailure("refused", "is not used: no space to verify its file");
    }
    if (this.received === end && this.state === "fetching") this.#finish();
  }

  /** Returns the number of bytes that may be appended now. */
  room(): number {
    return this.#store?.room(this.received) ?? 0;
  }

  /**
   * Appends the next bytes of the file.
   *
   * @returns `goes on` when more bytes are missing. If `wrong`, and the state is still `fetching`,
   * {@link restart} must be called.
   * @throws {StoreFull} when the disk is full.
   */
  append(bytes: Uint8Array, source: Source): "goes on" | "complete" | "wrong" {
    this.#store!.write(this.received, bytes);
    this.#hash?.update(bytes);
    this.#signed?.update(bytes);
    const last = this.segments.at(-1);
    if (last?.source === source) last.to += bytes.length;
    else {
      this.segments.push({ source, from: this.received, to: this.received + bytes.length });
    }
    const isTrusted = source.kind === "mirror" && this.trusted === this.received;
    this.received += bytes.length;
    if (isTrusted) this.#trust();
    if (this.received < this.end!) {
      this.#changed();
      return "goes on";
    }
    return this.#finish();
  }

  /**
   * Discards the received bytes.
   *
   * @returns the store with them, which the caller must close; null if nothing was received.
   */
  restart(): Store | null {
    const store = this.#store;
    this.#store = null;
    this.#size = this.#options.size;
    this.#hash = newHash(this.#options);
    if (this.#signed !== null) this.#signed = new SignatureHash(this.#signed.signature);
    this.received = this.start;
    this.trusted = this.start;
    this.lastModified = null;
    this.segments = [];
    clearTimeout(this.#holdTimer);
    this.#holdTimer = undefined;
    this.#isHeld = true;
    return store;
  }

  /** Ends the download with an error, if it is still running. */
  fail(error: Error): void {
    if (this.state !== "fetching") return;
    this.state = "failed";
    this.failure = error;
    this.#changed();
  }

  /** Position before which readers may read now. */
  get readable(): number {
    if (this.state === "complete" || this.state === "spoiled") return this.received;
    // If the window is full, readers must read before more bytes can arrive.
    const isWaiting = this.#isHeld && this.room() > 0;
    return isWaiting ? this.start : Math.max(this.start, this.trusted - RESERVE);
  }

  /**
   * Reads bytes that are {@link readable}.
   *
   * @throws when the download is closed, or the bytes have left the window.
   */
  read(position: number, buffer: Uint8Array): number {
    if (this.#store === null) throw new Error("The download is closed.");
    if (this.state === "fetching") this.exposed = true;
    this.hasBegun = true;
    return this.#store.read(position, buffer.subarray(0, this.readable - position));
  }

  /** Reads bytes that may not be readable yet; returns their number, 0 when there are none. */
  peek(position: number, buffer: Uint8Array): number {
    const count = Math.min(buffer.length, this.received - position);
    if (count <= 0 || this.#store === null) return 0;
    if (position < Math.max(this.start, this.#store.first)) return 0;
    return this.#store.read(position, buffer.subarray(0, count));
  }

  /**
   * Hashes the file for a signature, too, while it arrives. Otherwise pacman, which requests the signature when it
   * has the file, waits until all of it is read again. Does nothing if too much has arrived already.
   */
  hashFor(signature: Signature): void {
    if (this.state !== "fetching" || !this.isWhole || this.received > CATCH_UP) return;
    if (this.#signed?.signature === signature) return;
    const arrived = new Uint8Array(this.received);
    if (this.peek(0, arrived) < arrived.length) return;
    const hash = new SignatureHash(signature);
    hash.update(arrived);
    this.#signed = hash;
  }

  /** Whether a signature can belong to the complete file; null if it was not hashed for this signature. */
  fits(signature: Signature): boolean | null {
    if (this.state !== "complete" || this.#signed?.signature !== signature) return null;
    return this.#signed.fits();
  }

  /** Must be called when the only reader of a window has read the bytes before this position. */
  release(position: number): void {
    if (this.isKept) return;
    this.#store?.release(position);
    this.#changed();
  }

  /** Calls `listener` after each change, until the returned function is called. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends the download and closes its store. */
  close(): void {
    this.fail(new Error("The download was ended."));
    clearTimeout(this.#holdTimer);
    this.#store?.close();
    this.#store = null;
  }

  #trust(): void {
    this.trusted = this.received;
    this.#holdTimer ??= setTimeout(() => {
      this.#isHeld = false;
      this.#changed();
    }, this.#options.hold);
  }

  #finish(): "complete" | "wrong" {
    const { sha256 } = this.#options;
    const digest = this.#hash?.digest() ?? null;
    const isRight = digest === null || sha256 === null || digest.equals(sha256);
    this.#hash = null;
    this.isVerified = isRight && digest !== null;
    if (!isRight && !this.exposed) return "wrong";
    this.state = isRight ? "complete" : "spoiled";
    clearTimeout(this.#holdTimer);
    this.#changed();
    return isRight ? "complete" : "wrong";
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

function newHash({ sha256, isWhole }: DownloadOptions): Hash | null {
  return sha256 === null || !isWhole ? null : createHash("sha256");
}
