/** Notices when a listening server has stopped accepting connections. */

import { connect, type Socket } from "node:net";

/** Times of the test connections ("calls") to the server, in milliseconds. */
interface AcceptWatchdogTimes {
  /** From a client's connection to the next call. */
  readonly soon: number;
  /** From one call to the next while no client connects. */
  readonly rarely: number;
  /** How long a call may take. */
  readonly patience: number;
}

const DEFAULT_TIMES: AcceptWatchdogTimes = { soon: 10_000, rarely: 300_000, patience: 5_000 };

/** The wait for an answer is split into this many parts, so that a busy thread delays only one. */
const PARTS = 10;

/**
 * How a call ended: accepted ("taken"), not accepted in time ("missed"), or `unclear`: the call could
 * not connect, or the server accepted other connections but not the call.
 */
type Outcome = "taken" | "missed" | "unclear";

/**
 * Connects to a server of this thread now and then, to see whether it still accepts connections.
 *
 * When an `accept` fails because too many files are open, the listener of Deno 2.9.6 ends without an
 * error. Clients can still connect, because the kernel completes the connection, but then they wait
 * for ever.
 */
export class AcceptWatchdog {
  readonly #host: string;
  readonly #port: number;
  readonly #stalled: () => void;
  readonly #times: AcceptWatchdogTimes;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isSoon = false;
  /** True after the first call that was taken: from then on, a missed call is not due to a firewall. */
  #works = false;
  /** The call under way. */
  #call: Call | null = null;
  #lastPort: number | undefined;
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

  /** Must be called when the server accepts a connection. */
  accepted(): void {
    if (this.#call !== null) this.#call.accepted();
    else if (!this.#isSoon) this.#checkIn(this.#times.soon);
  }

  /** True when `remotePort` is the port from which the last call was made. */
  isCall(remotePort: number | undefined): boolean {
    return remotePort !== undefined && remotePort === (this.#call?.localPort ?? this.#lastPort);
  }

  /** Makes no more calls. */
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
    this.#lastPort = this.#call.localPort;
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
  localPort: number | undefined;
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
      this.localPort = this.#socket.localPort;
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

  /** Must be called when the server accepts any connection, this one included. */
  accepted(): void {
    this.#isAccepted = true;
    this.#look();
  }

  #look(): void {
    if (this.#isConnected && this.#isAccepted) this.end("taken");
  }
}
