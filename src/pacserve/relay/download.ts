/** One file on its way from sources into a store, while it is hashed, and to its readers. */

import { createHash, type Hash } from "node:crypto";
import { type Source, SourceFailure, type SourceStream } from "./source.ts";
import type { Store, Stores } from "./store.ts";

/** What is known of a file before any source answers. */
export interface DownloadOptions {
  readonly name: string;
  /** Bytes of the whole file; null when nobody knows. */
  readonly size: number | null;
  /** Null when nobody knows: then nothing is verified. */
  readonly sha256: Uint8Array | null;
  /** False for a part, which mirrors alone are asked for: it cannot be verified. */
  readonly isWhole: boolean;
  /** Position of the first byte that is fetched. */
  readonly start: number;
  /** Position behind the last byte that is fetched; null for the file's end. */
  readonly end: number | null;
  /** Whether bytes of two sources may be put together: not those of a database, which changes. */
  readonly resumable: boolean;
  /** How long (ms) the bytes of a mirror wait before they are passed on. */
  readonly hold: number;
  /** Gives the store, once the size is known. */
  readonly stores: Stores;
}

/**
 * How far a download is:
 * - `complete`: all of it is here, and verified where the digest is known;
 * - `spoiled`: it is wrong, but readers have bytes of it already, and get all of it: pacman deletes a
 *   whole wrong file, while a part of one would spoil what the next server sends;
 * - `failed`: it ends here.
 */
type DownloadState = "fetching" | "complete" | "spoiled" | "failed";

/** Bytes `from` (included) to `to` (excluded) that came from one source. */
export interface Segment {
  readonly source: Source;
  readonly from: number;
  to: number;
}

/** Bytes of a mirror that are kept back, to keep a reader alive when it falls silent. */
const RESERVE = 4096;

/** The state of a download. `failover.ts` writes to it, `reader.ts` reads. */
export class Download {
  readonly name: string;
  readonly isWhole: boolean;
  readonly start: number;
  /** Position of the last byte that is fetched; null for the file's end. */
  readonly last: number | null;
  readonly resumable: boolean;
  /** Whether all of it has a known digest in the end. */
  readonly isVerifiable: boolean;
  state: DownloadState = "fetching";
  /** Why it failed. */
  failure: Error | null = null;
  /** Of the source that gives it. */
  lastModified: string | null = null;
  /** Position behind the last byte that is here. */
  received: number;
  /** Position up to which all bytes are of mirrors: what plain pacman would have got. */
  trusted: number;
  segments: Segment[] = [];
  /** All of it is here, and has the digest that is known. */
  isVerified = false;
  /** A reader was given bytes that are not verified, so that it cannot begin anew. */
  exposed = false;
  /** A reader was given bytes of any kind. */
  hasBegun = false;
  readonly #options: DownloadOptions;
  readonly #listeners = new Set<() => void>();
  #size: number | null;
  #store: Store | null = null;
  #hash: Hash | null;
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
    // Room is reserved before the first byte, and others can share it from the beginning.
    if (options.size !== null) this.#store = options.stores.create(options.start, options.size);
  }

  /** Bytes of the whole file; null while nobody knows. */
  get size(): number | null {
    return this.#size;
  }

  /** Position behind the last byte that will be fetched; null while nobody knows. */
  get end(): number | null {
    if (this.#size === null) return null;
    return Math.min(this.#options.end ?? this.#size, this.#size);
  }

  /** The size that a source must have; null while any will do. */
  get requiredSize(): number | null {
    return this.#options.size ?? (this.received > this.start ? this.#size : null);
  }

  /** True when several readers can have it, and those that come later. */
  get isKept(): boolean {
    return this.#store?.keepsAll ?? false;
  }

  /** The store with what was received; null before the first source answered. */
  get store(): Store | null {
    return this.#store;
  }

  /**
   * A source answered, and its size is the one that is required.
   *
   * @throws {SourceFailure} when there is no room to verify what it gives before it is passed on.
   */
  begin({ size, lastModified }: SourceStream, { kind }: Source): void {
    if (this.received === this.start) this.#size = this.#options.size ?? size;
    this.lastModified ??= lastModified;
    this.#store ??= this.#options.stores.create(this.start, size);
    const end = this.end ?? size;
    if (kind !== "mirror" && this.#store.room(this.start) < end - this.start) {
      throw new SourceFailure("refused", "is not asked, as there is no room to verify its file");
    }
    if (this.received === end && this.state === "fetching") this.#finish();
  }

  /** How many bytes may be appended now. */
  room(): number {
    return this.#store?.room(this.received) ?? 0;
  }

  /**
   * Takes the bytes that follow.
   *
   * @returns whether it goes on, is complete, or is `wrong`: then {@link restart} has to follow, since
   * no reader has any of it.
   * @throws {StoreFull}
   */
  append(bytes: Uint8Array, source: Source): "goes on" | "complete" | "wrong" {
    this.#store!.write(this.received, bytes);
    this.#hash?.update(bytes);
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
   * Forgets what was received.
   *
   * @returns the store with it, which the caller closes; null when there is none.
   */
  restart(): Store | null {
    const store = this.#store;
    this.#store = null;
    this.#size = this.#options.size;
    this.#hash = newHash(this.#options);
    this.received = this.start;
    this.trusted = this.start;
    this.lastModified = null;
    this.segments = [];
    clearTimeout(this.#holdTimer);
    this.#holdTimer = undefined;
    this.#isHeld = true;
    return store;
  }

  /** No source gives it. */
  fail(error: Error): void {
    if (this.state !== "fetching") return;
    this.state = "failed";
    this.failure = error;
    this.#changed();
  }

  /** Position up to which readers may read now. */
  get readable(): number {
    if (this.state === "complete" || this.state === "spoiled") return this.received;
    // A window that is full cannot wait for the rest of the file.
    const isWaiting = this.#isHeld && this.room() > 0;
    return isWaiting ? this.start : Math.max(this.start, this.trusted - RESERVE);
  }

  /**
   * Reads bytes that are {@link readable}.
   *
   * @throws when they are not kept any more.
   */
  read(position: number, buffer: Uint8Array): number {
    if (this.#store === null) throw new Error("The download is closed.");
    if (this.state === "fetching") this.exposed = true;
    this.hasBegun = true;
    return this.#store.read(position, buffer.subarray(0, this.readable - position));
  }

  /** Reads bytes that may not be readable yet; 0 where there are none. */
  peek(position: number, buffer: Uint8Array): number {
    const count = Math.min(buffer.length, this.received - position);
    if (count <= 0 || this.#store === null) return 0;
    if (position < Math.max(this.start, this.#store.first)) return 0;
    return this.#store.read(position, buffer.subarray(0, count));
  }

  /** The only reader of a window has taken the bytes before this position. */
  release(position: number): void {
    if (this.isKept) return;
    this.#store?.release(position);
    this.#changed();
  }

  /** Calls `listener` whenever something changes, until the function that is returned is called. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Gives its store back. */
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
