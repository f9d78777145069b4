/** One source that is being asked for a download's file. */

import type { Download } from "./download.ts";
import { type Source, SourceFailure, type SourceStream } from "./source.ts";
import { turns } from "./turns.ts";
import { CRAWL_BYTES, type RelayTimes } from "./times.ts";

/** Bytes that are read at a time. */
const PIECE = 256 * 1024;

/** Bytes that a source may be ahead of the one that it could replace. */
const MAX_AHEAD = 1024 * 1024;

/** How often its speed is looked at within the time in which it must not crawl. */
const SAMPLES = 12;

/** A machine that was late by so many milliseconds has slept, or was stopped. */
const SLEPT = 500;

/** What an attempt tells the failover. */
interface AttemptEvents {
  /** Bytes came, it ended, or it failed. */
  changed(): void;
  /** The bytes that follow in the file, of the attempt that leads. */
  append(bytes: Uint8Array, attempt: Attempt): void;
}

/**
 * Reads from a source. The attempt that *leads* fills the download; another one keeps what it reads in
 * memory, up to a megabyte, until it leads or is closed.
 */
export class Attempt {
  readonly source: Source;
  /** True for a mirror that was asked because a peer's copy took long. */
  readonly isRacing: boolean;
  /** When its first byte came; null before. */
  firstByte: number | null = null;
  /** How far the download was then. */
  receivedThen = 0;
  /** Bytes that it gave. */
  count = 0;
  /** Another source was asked because of its trouble; it is closed when that gives a byte. */
  isLeft = false;
  /** It was left for a better one, which may still fail. */
  isSuperseded = false;
  /** It was left because it did not answer. If it does, a mirror need not send the rest. */
  isAwaited = false;
  /** It leads, and takes nothing: another one is about to give what follows. */
  isPaused = false;
  /** A mirror was asked beside it, or there was none. */
  isRaced = false;
  failure: SourceFailure | null = null;
  /** When it was asked, in milliseconds. */
  readonly #asked = performance.now();
  readonly #download: Download;
  readonly #events: AttemptEvents;
  readonly #abort = new AbortController();
  #leads = false;
  #stream: SourceStream | null = null;
  /** Position of the next byte of the source, the ones kept here included. */
  #position = 0;
  #ahead: Uint8Array[] = [];
  #aheadBytes = 0;
  #wake: (() => void) | null = null;
  /** True while it waits for a reader, or to lead: then it is not the source that is slow. */
  #waits = false;
  #lastByte = performance.now();
  /** How much it had given when, for the last seconds. */
  #samples: { time: number; readonly count: number }[] = [];

  constructor(source: Source, download: Download, events: AttemptEvents, isRacing: boolean) {
    this.source = source;
    this.isRacing = isRacing;
    this.#download = download;
    this.#events = events;
    void this.#run();
  }

  /** True for the one that fills the download. */
  get leads(): boolean {
    return this.#leads;
  }

  /** True when it has bytes that the download has not, or is full of those that it has. */
  get isReady(): boolean {
    return !this.#leads && this.failure === null && this.#aheadBytes > 0;
  }

  /** True when it can read no further without leading. */
  get isFull(): boolean {
    return this.#aheadBytes >= MAX_AHEAD;
  }

  /** True when it gives the file, or will as far as it says. */
  get hasAnswered(): boolean {
    return this.#stream !== null;
  }

  /** For how long (ms) it has been asked. */
  get askedFor(): number {
    return performance.now() - this.#asked;
  }

  /** For how long (ms) nothing came. */
  get silentFor(): number {
    return this.#waits ? 0 : performance.now() - this.#lastByte;
  }

  /** So many milliseconds passed in which nobody here could look whether something came. */
  forgive(milliseconds: number): void {
    this.#lastByte = Math.min(performance.now(), this.#lastByte + milliseconds);
    // However late a piece is read, it is larger than what a crawling source gives in seconds.
    if (milliseconds < SLEPT) return;
    for (const sample of this.#samples) sample.time += milliseconds;
  }

  /** From now on it fills the download. */
  lead(): void {
    this.#leads = true;
    this.#wake?.();
  }

  /** From now on it keeps what it reads: another one fills the download. */
  follow(): void {
    this.#leads = false;
  }

  /** Ends it without waiting. */
  close(): void {
    this.#abort.abort();
    this.#stream?.close();
    this.#wake?.();
  }

  /** The download has room again. */
  wake(): void {
    this.#wake?.();
  }

  /** What is wrong with it, as far as its times tell; null when nothing is. */
  trouble(times: RelayTimes): string | null {
    const { kind, patience = 0 } = this.source;
    if (this.#stream === null) {
      const limit = kind === "mirror" ? times.mirrorAnswer : times.peerAnswer;
      return this.silentFor > limit ? "does not answer" : null;
    }
    const limit = kind === "in-flight" ? times.inFlightSilence + patience : times.silence;
    if (this.silentFor > limit) return `sends nothing for ${seconds(limit)} s`;
    const period = times.crawl + patience;
    return this.#isCrawling(period) ? `gives less than 16 KiB in ${seconds(period)} s` : null;
  }

  #isCrawling(period: number): boolean {
    if (this.#waits) return false;
    const now = performance.now();
    const newest = this.#samples.at(-1);
    if (newest === undefined || now - newest.time >= period / SAMPLES) {
      this.#samples.push({ time: now, count: this.count });
    }
    // The oldest of those that are not older than the period.
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
      // What another attempt learned meanwhile.
      const { requiredSize: size } = this.#download;
      if (size !== null && stream.size !== size) {
        throw new SourceFailure("refused", `has ${stream.size} bytes, not ${size}`);
      }
      if (base > this.#download.start && this.#isOtherVersion(stream)) {
        throw new SourceFailure("refused", "has another version of it");
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

  /** Where no digest will tell, the date does: mirrors and pacman keep that of the original. */
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
    // A server without ranges gives what is here already.
    const wanted = bytes.subarray(Math.max(0, (this.#leads ? received : base) - position));
    if (wanted.length === 0) return;
    if (this.firstByte === null) {
      this.firstByte = performance.now();
      this.receivedThen = received;
    }
    // What was kept before goes first, even if it leads since this very piece was asked for.
    if (this.#leads && this.#ahead.length === 0) return this.#events.append(wanted, this);
    this.#ahead.push(wanted.slice());
    this.#aheadBytes += wanted.length;
    this.#events.changed();
  }

  /** Hands on what was kept. */
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
