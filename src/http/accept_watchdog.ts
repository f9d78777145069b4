/** Notices when a listening server does not accept connections any more. */

import { connect, type Socket } from "node:net";

/** When the server is called, in milliseconds. */
interface AcceptWatchdogTimes {
  /** After a client came. */
  readonly soon: number;
  /** After the last call, while no client comes. */
  readonly rarely: number;
  /** How long a call may take. */
  readonly patience: number;
}

const DEFAULT_TIMES: AcceptWatchdogTimes = { soon: 10_000, rarely: 300_000, patience: 5_000 };

/** The wait is split into this many parts, so that a busy thread delays only one of them. */
const PARTS = 10;

/** `unclear` where the call could not be made, or others were accepted and it was not. */
type Outcome = "taken" | "missed" | "unclear";

/**
 * Calls a server of this thread now and then.
 *
 * Where an `accept` fails because too many files are open, the listener of Deno 2.9.6 ends without a
 * word: clients still connect, as the kernel does that, and wait for ever.
 */
export class AcceptWatchdog {
  readonly #host: string;
  readonly #port: number;
  readonly #stalled: () => void;
  readonly #times: AcceptWatchdogTimes;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isSoon = false;
  /** A call was taken once: that none is now does not come from a firewall. */
  #works = false;
  /** The one under way. */
  #call: Call | null = null;
  #stopped = false;

  /**
   * @param address that the server is bound to.
   * @param stalled is called when the server accepts nothing any more.
   */
  constructor(
    address: string,
    port: number,
    stalled: () => void,
    times: AcceptWatchdogTimes = DEFAULT_TIMES,
  ) {
    this.#host = address === "0.0.0.0" || address === "::" ? "127.0.0.1" : address;
    this.#port = port;
    this.#stalled = stalled;
    this.#times = times;
    void this.#check();
  }

  /** The server has accepted a connection. */
  accepted(): void {
    if (this.#call !== null) this.#call.accepted();
    else if (!this.#isSoon) this.#checkIn(this.#times.soon);
  }

  /** Calls no more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#call?.end("unclear");
  }

  #checkIn(pause: number): void {
    this.#isSoon = pause === this.#times.soon;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#check(), pause);
  }

  async #check(): Promise<void> {
    this.#call = new Call(this.#host, this.#port, this.#times.patience);
    const outcome = await this.#call.outcome;
    this.#call = null;
    if (this.#stopped) return;
    if (outcome === "missed" && this.#works) return this.#stalled();
    if (outcome === "taken") this.#works = true;
    this.#checkIn(outcome === "unclear" && this.#works ? this.#times.soon : this.#times.rarely);
  }
}

/** One connection that the watchdog makes to the server. */
class Call {
  readonly outcome: Promise<Outcome>;
  readonly end: (outcome: Outcome) => void;
  readonly #socket: Socket;
  #isConnected = false;
  #isAccepted = false;

  constructor(host: string, port: number, patience: number) {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.end = resolve;
    this.#socket = connect({ host, port });
    this.#socket.on("error", () => resolve("unclear"));
    this.#socket.on("connect", () => {
      this.#isConnected = true;
      this.#look();
    });
    let parts = PARTS;
    const timer = setInterval(() => {
      if (--parts === 0) resolve(this.#isAccepted ? "unclear" : "missed");
    }, patience / PARTS);
    this.outcome = promise.finally(() => {
      clearInterval(timer);
      this.#socket.destroy();
    });
  }

  /** The server has accepted a connection, be it this one or not. */
  accepted(): void {
    this.#isAccepted = true;
    this.#look();
  }

  #look(): void {
    if (this.#isConnected && this.#isAccepted) this.end("taken");
  }
}
