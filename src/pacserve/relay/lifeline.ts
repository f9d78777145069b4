/**
 * The lifeline: sends a few bytes every five seconds while the client waits. pacman gives up after ten
 * seconds without a byte of the body, but waits if it gets 16 bytes every five seconds (measured with
 * 6.0.2 and 7.1.0).
 */

import type { Download } from "./download.ts";
import type { Source } from "./source.ts";

/** Number of bytes that are sent at a time. For libcurl one byte is too few, and six are enough. */
const DROP = 16;

/** Number of bytes that are requested from a mirror. */
const HEAD = 4096;

/** Milliseconds in which a mirror must send them, and the maximum number of mirrors that are tried. */
const PATIENCE = 2_500;
const MAX_FAILURES = 3;

/** Finds a mirror for a request of the bytes up to `last`; null if no mirror has them. */
type HeadSource = (last: number) => Promise<Source | null>;

/**
 * Finds bytes that a reader may send before the file is verified. The first choice is bytes of the download
 * that came from a mirror, the second one bytes that are requested from a mirror here, and the last one bytes
 * of the peer.
 */
export class Lifeline {
  readonly #download: Download;
  readonly #mirror: HeadSource;
  readonly #unmask: () => void;
  #head: { readonly from: number; readonly bytes: Uint8Array } | null = null;
  #asking: AbortController | null = null;
  #failures = 0;

  /** @param unmask called when the bytes of a peer differ from those of the mirror. */
  constructor(download: Download, mirror: HeadSource, unmask: () => void) {
    this.#download = download;
    this.#mirror = mirror;
    this.#unmask = unmask;
  }

  /** Requests bytes from a mirror, if a reader at this position will soon need them. */
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
   * Returns bytes for the reader at this position; null when there are none yet.
   *
   * @param end position after the last byte that the reader needs; null while the size of the file is
   * unknown: without it the head of the reply cannot be sent.
   */
  take(position: number, end: number | null): Uint8Array | null {
    const bytes = this.#find(position, end);
    // A download that can be verified may still start again: if these bytes were wrong, its digest shows it.
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
    // Prefer the bytes of a mirror while its answer may still arrive: those of the peer may be wrong.
    const isHopeless = this.#asking === null || this.#failures > 0;
    return isHopeless ? this.#peek(position, length) : null;
  }

  /** Ends a running request, and sends no other. */
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

  /** Compares the bytes of the peer with those of the mirror: those of another build differ. */
  #compare(): void {
    if (this.#head === null || this.#download.trusted > this.#head.from) return;
    const { from, bytes } = this.#head;
    const own = new Uint8Array(bytes.length);
    const count = this.#download.peek(from, own);
    if (own.subarray(0, count).some((byte, index) => byte !== bytes[index])) this.#unmask();
  }
}
