/** One request to a source for the file of a download. */

import type { Download } from "./download.ts";
import { type Source, SourceFailure, type SourceStream } from "./source.ts";
import { turns } from "./turns.ts";
import { CRAWL_BYTES, type RelayTimes } from "./times.ts";

/** Maximum number of bytes that are read at a time. */
const PIECE = 256 * 1024;

/** Maximum number of bytes that an attempt which does not lead keeps in memory. */
const MAX_AHEAD = 1024 * 1024;

/** Number of speed samples within the period in which a source must send {@link CRAWL_BYTES}. */
const SAMPLES = 12;

/** If a timer is late by this time (ms), the machine has slept, or the process was stopped. */
const SLEPT = 500;

/** The methods of `Failover` that an attempt calls. It is an interface, because `failover.ts` imports this file. */
interface AttemptEvents {
  /** Called when bytes arrived, or the attempt has ended or failed. */
  changed(): void;
  /** Called by the attempt that leads, with the next bytes of the file. */
  append(bytes: Uint8Array, attempt: Attempt): void;
}

/**
 * Reads from a source. The attempt that *leads* fills the download. Other attempts keep the bytes that they
 * read in memory, up to a megabyte, until they lead or are closed.
 */
export class Attempt {
  readonly source: Source;
  /** True for a mirror that was asked because a peer's copy took long. */
  readonly isRacing: boolean;
  /** Time of the first byte (ms); null before. */
  firstByte: number | null = null;
  /** Number of bytes that the download had at that time. */
  receivedThen = 0;
  /** Number of bytes that the source has sent. */
  count = 0;
  /** True when another source was asked because of this one. When that sends a byte, this one is closed. */
  isLeft = false;
  /** True when the source was left for a better one, which may still fail. */
  isSuperseded = false;
  /** True when the source was left because it did not answer. If it does, it replaces the mirror. */
  isAwaited = false;
  /** True when it leads, but must not read: another source will soon send the next bytes. */
  isPaused = false;
  /** True when a race with a mirror began, or no mirror was found for it. */
  isRaced = false;
  failure: SourceFailure | null = null;
  /** Time of the request (ms). */
  readonly #asked = performance.now();
  readonly #download: Download;
  readonly #events: AttemptEvents;
  readonly #abort = new AbortController();
  #leads = false;
  #stream: SourceStream | null = null;
  /** Position in the file of the next byte that the source sends. */
  #position = 0;
  #ahead: Uint8Array[] = [];
  #aheadBytes = 0;
  #wake: (() => void) | null = null;
  /** True while it waits for a reader, or to lead: then the source is not to blame for the delay. */
  #waits = false;
  #lastByte = performance.now();
  /** The number of received bytes at several times within the last seconds. */
  #samples: { time: number; readonly count: number }[] = [];

  constructor(source: Source, download: Download, events: AttemptEvents, isRacing: boolean) {
    this.source = source;
    this.isRacing = isRacing;
    this.#download = download;
    this.#events = events;
    void this.#run();
  }

  /** True for the attempt that fills the download. */
  get leads(): boolean {
    return this.#leads;
  }

  /** True when it does not lead, and has bytes for the download. */
  get isReady(): boolean {
    return !this.#leads && this.failure === null && this.#aheadBytes > 0;
  }

  /** True when it cannot read more bytes without leading. */
  get isFull(): boolean {
    return this.#aheadBytes >= MAX_AHEAD;
  }

  /** True when the source has answered that it sends the file. */
  get hasAnswered(): boolean {
    return this.#stream !== null;
  }

  /** Milliseconds since the request. */
  get askedFor(): number {
    return performance.now() - this.#asked;
  }

  /** Milliseconds since the last byte or answer; 0 while the source is not to blame. */
  get silentFor(): number {
    return this.#waits ? 0 : performance.now() - this.#lastByte;
  }

  /** Must be called when this thread was blocked for some time (ms): it does not count as silence. */
  forgive(milliseconds: number): void {
    this.#lastByte = Math.min(performance.now(), this.#lastByte + milliseconds);
    // After a short delay the speed is still right: the next piece contains the bytes of that time, too.
    if (milliseconds < SLEPT) return;
    for (const sample of this.#samples) sample.time += milliseconds;
  }

  /** Makes this attempt fill the download. */
  lead(): void {
    this.#leads = true;
    this.#wake?.();
  }

  /** Makes this attempt keep its bytes in memory, because another one fills the download now. */
  follow(): void {
    this.#leads = false;
  }

  /** Ends the request at once. */
  close(): void {
    this.#abort.abort();
    this.#stream?.close();
    this.#wake?.();
  }

  /** Must be called when the store of the download may have space again. */
  wake(): void {
    this.#wake?.();
  }

  /** Returns the reason if the source is too slow, for the log; null when it is not. */
  trouble(times: RelayTimes): string | null {
    const { kind, patience = 0 } = this.source;
    if (this.#stream === null) {
      const limit = kind === "mirror" ? times.mirrorAnswer : times.peerAnswer;
      return this.silentFor > limit ? "does not answer" : null;
    }
    const limit = kind === "in-flight" ? times.inFlightSilence + patience : times.silence;
    if (this.silentFor > limit) return `sends nothing for ${seconds(limit)} s`;
    const period = times.crawl + patience;
    return this.#isCrawling(period) ? `sends less than 16 KiB in ${seconds(period)} s` : null;
  }

  #isCrawling(period: number): boolean {
    if (this.#waits) return false;
    const now = performance.now();
    const newest = this.#samples.at(-1);
    if (newest === undefined || now - newest.time >= period / SAMPLES) {
      this.#samples.push({ time: now, count: this.count });
    }
    // Keep one sample that is older than the period.
    while (this.#samples.length > 1 && now - this.#samples[1]!.time >= period) {
      this.#samples.shift();
    }
    const oldest = this.#samples[0]!;
    return now - oldest.time >= period && this.count - oldest.count < CRAWL_BYTES;
  }

  async #run(): Promise<void> {
    try {
      const { signal } = this.#abort;
      const base = this.#download.received;
      const { requiredSize } = this.#download;
      const stream = await this.source.open(base, requiredSize, signal);
      this.#stream = stream;
      this.#heard();
      if (signal.aborted) return stream.close();
      // Another attempt may have found out the size meanwhile.
      const { requiredSize: size } = this.#download;
      if (size !== null && stream.size !== size) {
        throw new SourceFailure("refused", `has ${stream.size} bytes, not ${size}`);
      }
      if (base > this.#download.start && this.#isOtherVersion(stream)) {
        throw new SourceFailure("refused", "has another version of the file");
      }
      this.#position = stream.from;
      await this.#read(stream, base);
    } catch (error) {
      this.failure = error instanceof SourceFailure
        ? error
        : new SourceFailure("broken", error instanceof Error ? error.message : "fails");
    } finally {
      this.#stream?.close();
      if (!this.#abort.signal.aborted) this.#events.changed();
    }
  }

  /** Without a digest, compares the dates: mirrors and pacman keep the date of the original file. */
  #isOtherVersion({ lastModified }: SourceStream): boolean {
    const { isVerifiable, lastModified: first } = this.#download;
    return !isVerifiable && first !== null && lastModified !== null && lastModified !== first;
  }

  async #read(stream: SourceStream, base: number): Promise<void> {
    const buffer = new Uint8Array(PIECE);
    const end = (): number => this.#download.end ?? stream.size;
    while (!this.#abort.signal.aborted) {
      if (this.#leads) {
        this.#download.begin(stream, this.source);
        await this.#drain();
        if (this.#position >= end()) return;
        await this.#room();
      } else if (this.isFull || this.#position >= end()) {
        await this.#until(() => this.#leads);
        continue;
      }
      if (this.#abort.signal.aborted) return;
      const room = this.#leads ? this.#download.room() : PIECE;
      const count = await stream.read(buffer.subarray(0, Math.min(PIECE, room)));
      if (this.#abort.signal.aborted) return;
      if (count === null) throw new SourceFailure("broken", "ends too early");
      this.#waits = true;
      await turns.take(count);
      this.#waits = false;
      if (this.#abort.signal.aborted) return;
      this.#heard();
      this.#take(buffer.subarray(0, count), base);
    }
  }

  #take(bytes: Uint8Array, base: number): void {
    const position = this.#position;
    this.#position += bytes.length;
    this.count += bytes.length;
    const { received } = this.#download;
    // A server without support for ranges also sends bytes that are not needed.
    const wanted = bytes.subarray(Math.max(0, (this.#leads ? received : base) - position));
    if (wanted.length === 0) return;
    if (this.firstByte === null) {
      this.firstByte = performance.now();
      this.receivedThen = received;
    }
    // The bytes in memory come first. There may be some if it began to lead during this `read`.
    if (this.#leads && this.#ahead.length === 0) return this.#events.append(wanted, this);
    this.#ahead.push(wanted.slice());
    this.#aheadBytes += wanted.length;
    this.#events.changed();
  }

  /** Writes the bytes in memory to the download. */
  async #drain(): Promise<void> {
    while (this.#ahead.length > 0 && !this.#abort.signal.aborted) {
      const [bytes] = this.#ahead as [Uint8Array];
      const position = this.#position - this.#aheadBytes;
      const wanted = bytes.subarray(Math.max(0, this.#download.received - position));
      if (wanted.length > 0) await this.#room();
      if (this.#abort.signal.aborted) return;
      const now = wanted.subarray(0, this.#download.room());
      const rest = wanted.subarray(now.length);
      if (rest.length > 0) this.#ahead[0] = rest;
      else this.#ahead.shift();
      this.#aheadBytes = this.#ahead.reduce((sum, piece) => sum + piece.length, 0);
      if (now.length > 0) this.#events.append(now, this);
    }
  }

  #room(): Promise<void> {
    return this.#until(() =>
      !this.isPaused && (this.#download.room() > 0 || this.#download.store === null)
    );
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition() && !this.#abort.signal.aborted) {
      this.#waits = true;
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#waits = false;
      this.#heard();
      this.#samples = [];
    }
    this.#wake = null;
  }

  #heard(): void {
    this.#lastByte = performance.now();
  }
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}
