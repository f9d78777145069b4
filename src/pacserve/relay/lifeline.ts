/**
 * A few bytes now and then for a client that waits: pacman gives up after ten seconds without a byte
 * of the body, and waits as long as 16 bytes come every five seconds (measured with 6.0.2 and 7.1.0).
 */

import type { Download } from "./download.ts";
import type { Source } from "./source.ts";

/** Bytes that are given at a time: one byte is too few for libcurl, six are enough. */
const DROP = 16;

/** Bytes that a mirror is asked for. */
const HEAD = 4096;

/** The longest (ms) that a mirror may take for them, and how many mirrors are asked. */
const PATIENCE = 2_500;
const MAX_FAILURES = 3;

/** Finds a mirror that can be asked for the bytes up to `last`; null when there is none. */
type HeadSource = (last: number) => Promise<Source | null>;

/**
 * Gives the bytes that a reader may have before the file is verified: what a mirror gave to the
 * download; else a mirror's bytes at its position, asked for here; else the peer's own.
 */
export class Lifeline {
  readonly #download: Download;
  readonly #mirror: HeadSource;
  readonly #unmask: () => void;
  #head: { readonly from: number; readonly bytes: Uint8Array } | null = null;
  #asking: AbortController | null = null;
  #failures = 0;

  /** @param unmask called when a peer gives other bytes than the mirror. */
  constructor(download: Download, mirror: HeadSource, unmask: () => void) {
    this.#download = download;
    this.#mirror = mirror;
    this.#unmask = unmask;
  }

  /** A reader at this position will soon need something. */
  prepare(position: number): void {
    const { trusted } = this.#download;
    if (this.#asking !== null || this.#failures >= MAX_FAILURES) return;
    if (trusted >= position + DROP || this.#headAt(position) !== null) return;
    const abort = new AbortController();
    this.#asking = abort;
    const timer = setTimeout(() => abort.abort(), PATIENCE);
    this.#ask(position, abort.signal).catch(() => this.#failures++).finally(() => {
      clearTimeout(timer);
      if (this.#asking === abort) this.#asking = null;
    });
  }

  /**
   * Bytes for the reader at this position; null when there are none yet.
   *
   * @param end position behind the last byte that it wants; null while the size is not known, and
   * with it what the head of the reply must say.
   */
  take(position: number, end: number | null): Uint8Array | null {
    const bytes = this.#find(position, end);
    // What is verified later is begun anew where its first bytes prove wrong; else nothing would tell.
    if (bytes !== null && !this.#download.isVerifiable) this.#download.exposed = true;
    if (bytes !== null) this.#download.hasBegun = true;
    return bytes;
  }

  #find(position: number, end: number | null): Uint8Array | null {
    const length = Math.min(DROP, (end ?? position) - position);
    if (length <= 0) return null;
    if (this.#download.trusted >= position + length) return this.#peek(position, length);
    const head = this.#headAt(position);
    if (head !== null) return head.subarray(0, length);
    // A mirror's bytes are better than the peer's, which may be wrong.
    const isHopeless = this.#asking === null || this.#failures > 0;
    return isHopeless ? this.#peek(position, length) : null;
  }

  /** Ends a request under way. */
  close(): void {
    this.#failures = MAX_FAILURES;
    this.#asking?.abort();
  }

  #headAt(position: number): Uint8Array | null {
    if (this.#head === null || position < this.#head.from) return null;
    const bytes = this.#head.bytes.subarray(position - this.#head.from);
    return bytes.length > 0 ? bytes : null;
  }

  #peek(position: number, length: number): Uint8Array | null {
    const bytes = new Uint8Array(length);
    const count = this.#download.peek(position, bytes);
    return count > 0 ? bytes.subarray(0, count) : null;
  }

  async #ask(position: number, signal: AbortSignal): Promise<void> {
    const source = await this.#mirror(position + HEAD - 1);
    if (source === null || signal.aborted) throw new Error("no mirror");
    const stream = await source.open(position, this.#download.size, signal);
    try {
      if (stream.from !== position) throw new Error("another range");
      const bytes = new Uint8Array(Math.min(HEAD, stream.size - position));
      for (let length = 0; length < bytes.length;) {
        const count = await stream.read(bytes.subarray(length));
        if (count === null) throw new Error("too short");
        length += count;
      }
      this.#head = { from: position, bytes };
    } finally {
      stream.close();
    }
    this.#compare();
  }

  /** Another build of the package has other bytes from its beginning on. */
  #compare(): void {
    if (this.#head === null || this.#download.trusted > this.#head.from) return;
    const { from, bytes } = this.#head;
    const own = new Uint8Array(bytes.length);
    const count = this.#download.peek(from, own);
    if (own.subarray(0, count).some((byte, index) => byte !== bytes[index])) this.#unmask();
  }
}
