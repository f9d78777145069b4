/** The counters of a server in its worker. The main thread, which keeps them, is told of each change. */

import { EventEmitter } from "node:events";
import { bodyLength, type FileSource, type Reply } from "../http/exchange.ts";
import type { FinishedExchange } from "../http/listener.ts";
import type { Counters, CountersState } from "./counters.ts";
import { type Direction, type Flows, noFlows } from "./traffic.ts";

/** Milliseconds from a count to the message about it; several become one. */
const TELL_PAUSE = 1_000;

/** Milliseconds between two looks at transfers that take long. */
const LOOK_PAUSE = 60_000;

/**
 * Counts files and bytes. A file costs a few additions, a piece of one nothing.
 *
 * Its event `counted` has what was counted since the last one. Before that comes `look`, for those who
 * know what is under way: they count what is here of it, and say by {@link begun} that it goes on.
 */
export class LiveCounters extends EventEmitter<{ look: []; counted: [flows: Flows] }> {
  readonly #counters: Counters;
  /** Bytes of replies under way that were counted already. */
  readonly #counted = new Map<Reply, number>();
  #untold = noFlows();
  #hasUntold = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The pause that the timer is about, in milliseconds; infinity without one. */
  #pause = Infinity;

  #isUnderWay = false;

  /** @param counters with what was counted before. */
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

  /** A file is on its way: it is looked at again within a minute. */
  begun(): void {
    this.#isUnderWay = true;
    this.#tellIn(LOOK_PAUSE);
  }

  /**
   * Counts what was sent of a reply since the last call.
   *
   * @param isOwn it goes to this host, which got what did not come from its cache by a download that is
   * counted itself.
   * @param isOver nothing more is sent of it.
   */
  sent(exchange: FinishedExchange, isOwn: boolean, isOver: boolean): void {
    const { reply, request, bytesSent, aborted } = exchange;
    const { fileSource, status } = reply;
    if (fileSource === undefined || request.method !== "GET") return;
    if ((status !== 200 && status !== 206) || (isOwn && fileSource !== "cache")) return;
    const before = this.#counted.size === 0 ? 0 : this.#counted.get(reply) ?? 0;
    const bytes = bytesSent - before;
    // A connection that is closed right behind the last byte is told of as broken.
    const isWhole = !aborted || bytesSent === bodyLength(reply);
    const files = isOver && isWhole ? 1 : 0;
    if (isOver) this.#counted.delete(reply);
    else if (bytesSent > 0) this.#counted.set(reply, bytesSent);
    if (bytes > 0 || files > 0) this.count(isOwn ? "received" : "served", fileSource, bytes, files);
  }

  /** All that was counted, here and by others. */
  state(): CountersState {
    this.tell();
    return this.#counters.state();
  }

  /** Adds what another worker counted. */
  add(flows: Flows): void {
    this.#counters.add(flows);
  }

  /** Tells what was not told yet. */
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

  /** Tells the rest. */
  close(): void {
    this.tell();
    this.#stopTimer();
  }

  /** A timer that is under way for a longer pause is replaced. */
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
