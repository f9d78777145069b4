/** The counters of a server in its worker. It reports each change to the main thread, which stores them. */

import { EventEmitter } from "node:events";
import { bodyLength, type FileSource, type Reply } from "../http/exchange.ts";
import type { FinishedExchange } from "../http/listener.ts";
import type { Counters, CountersState } from "./counters.ts";
import { type Direction, type Flows, noFlows } from "./traffic.ts";

/** Milliseconds from a count to its message. All counts of this time are sent in one message. */
const TELL_PAUSE = 1_000;

/** Milliseconds between two counts of the transfers under way. */
const LOOK_PAUSE = 60_000;

/** Matches the target of a request for a signature. Signatures are not counted. */
const SIGNATURE = /^[^?]*\.sig(?:\?|$)/;

/**
 * Counts files and bytes. It costs a few additions per file, and nothing per chunk.
 *
 * Its event `counted` contains the counts since the last such event. The event `look` comes before it: its
 * listeners count the finished part of each transfer under way, and call {@link begun} if one continues.
 */
export class LiveCounters extends EventEmitter<{ look: []; counted: [flows: Flows] }> {
  readonly #counters: Counters;
  /** For each reply under way, the bytes that were counted already. */
  readonly #counted = new Map<Reply, number>();
  #untold = noFlows();
  #hasUntold = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The pause of the running timer, in milliseconds; infinity if no timer is running. */
  #pause = Infinity;

  #isUnderWay = false;

  /** @param counters the counters so far. */
  constructor(counters: Counters) {
    super();
    this.#counters = counters;
  }

  /** Counts a file, or a part of one. */
  count(direction: Direction, source: FileSource, bytes: number, files: number): void {
    const amount = this.#untold[direction][source];
    amount.bytes += bytes;
    amount.files += files;
    this.#hasUntold = true;
    this.#tellIn(TELL_PAUSE);
  }

  /** Must be called when a transfer begins or continues: it is then counted within a minute. */
  begun(): void {
    this.#isUnderWay = true;
    this.#tellIn(LOOK_PAUSE);
  }

  /**
   * Counts the bytes of a reply that were sent since the last call.
   *
   * @param isOwn true when the reply goes to this host. Then only files from the cache are counted here;
   * the download of other files is counted separately.
   * @param isOver true when the reply has ended.
   */
  sent(exchange: FinishedExchange, isOwn: boolean, isOver: boolean): void {
    const { reply, request, bytesSent, aborted } = exchange;
    const { fileSource, status } = reply;
    if (fileSource === undefined || request.method !== "GET") return;
    if ((status !== 200 && status !== 206) || (isOwn && fileSource !== "cache")) return;
    if (SIGNATURE.test(request.target)) return;
    const before = this.#counted.size === 0 ? 0 : this.#counted.get(reply) ?? 0;
    const bytes = bytesSent - before;
    // If a connection is closed directly after the last byte, the exchange is reported as aborted.
    const isWhole = !aborted || bytesSent === bodyLength(reply);
    const files = isOver && isWhole && hasEnd(reply) ? 1 : 0;
    if (isOver) this.#counted.delete(reply);
    else if (bytesSent > 0) this.#counted.set(reply, bytesSent);
    if (bytes > 0 || files > 0) this.count(isOwn ? "received" : "served", fileSource, bytes, files);
  }

  /** Returns the counts of this worker and of the others. */
  state(): CountersState {
    this.tell();
    return this.#counters.state();
  }

  /** Adds the counts of another worker. */
  add(flows: Flows): void {
    this.#counters.add(flows);
  }

  /** Emits `counted` with the counts that were not reported yet. */
  tell(): void {
    this.#isUnderWay = false;
    this.emit("look");
    if (this.#hasUntold) {
      const flows = this.#untold;
      this.#untold = noFlows();
      this.#hasUntold = false;
      this.#counters.add(flows);
      this.emit("counted", flows);
    }
    this.#stopTimer();
    if (this.#isUnderWay) this.#tellIn(LOOK_PAUSE);
  }

  /** Reports the last counts, and stops the timer. */
  close(): void {
    this.tell();
    this.#stopTimer();
  }

  /** Starts the timer; replaces a running one that has a longer pause. */
  #tellIn(pause: number): void {
    if (pause >= this.#pause) return;
    this.#stopTimer();
    this.#pause = pause;
    this.#timer = setTimeout(() => this.tell(), pause);
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pause = Infinity;
  }
}

/** True when a reply contains the end of the file. If a file is sent in parts, only that part counts as a file. */
function hasEnd({ status, headers }: Reply): boolean {
  if (status !== 206) return true;
  const [, last, size] = /-(\d+)\/(\d+)$/.exec(String(headers["Content-Range"])) ?? [];
  return last !== undefined && Number(last) + 1 === Number(size);
}
