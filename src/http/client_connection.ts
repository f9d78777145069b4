/** One open connection of a listener: its state, and for how long it has been in it. */

import type { Socket } from "node:net";
import type { Connection } from "./exchange.ts";
import type { ListenerLimits } from "./limits.ts";

/** A request or its reply that is under way on a connection. */
export interface Activity {
  /** Since when we wait for the client to send or to take bytes; 0 while we do not. */
  readonly waitingSince: number;
  /** True while we wait for the client to take bytes, false while we wait for it to send some. */
  readonly isSending: boolean;
  /** The client sends no more. */
  inputEnded(): void;
  /** The connection is closed. */
  closed(): void;
}

/** The system call, `read` or `write`, with whose error a socket was closed. */
export function failedCall(socket: Socket): string | undefined {
  return (Object(socket.errored) as { readonly syscall?: string }).syscall;
}

/** One client's connection. Under TLS it exists from before the handshake on. */
export class ClientConnection {
  /** What handlers are told; null until the handshake is done. */
  facts: Connection | null = null;
  /** What is under way; null between requests. */
  activity: Activity | null = null;
  /** Requests that came before the one under way was answered, in their order. */
  readonly queue: (() => void)[] = [];
  /** Since when nothing is under way, by `performance.now()`. */
  idleSince: number = performance.now();
  /** Bytes that had been read by then: more of them are the beginning of a next request. */
  bytesRead = 0;
  /** Something that was no HTTP came; it is being closed. */
  broken = false;
  /** The client closed its sending half. */
  inputEnded = false;
  /** IP address of the client. */
  readonly address: string;
  readonly remotePort: number | undefined;
  /** Name of those that it shares a bound with. */
  readonly group: string;
  readonly #transport: Socket;
  #socket: Socket | null = null;
  #isHeld = false;
  /** When the beginning of a request was first noticed; 0 before that. */
  #begunAt = 0;

  /** @param transport the TCP socket */
  constructor(transport: Socket, address: string, group: string) {
    this.#transport = transport;
    this.address = address;
    this.group = group;
    this.remotePort = transport.remotePort;
  }

  /** The handshake is done, or none is needed: requests will come over this socket. */
  open(socket: Socket, facts: Connection): void {
    this.#socket = socket;
    this.facts = facts;
    this.idle();
  }

  /**
   * True when the last write failed, or nothing can be written any more. A client that resets the
   * connection when it has the whole reply makes only the next read fail.
   */
  get failed(): boolean {
    const socket = this.#socket;
    if (socket === null) return true;
    return failedCall(socket) !== "read" &&
      (socket.destroyed || (socket.errored ?? null) !== null);
  }

  /** Notes that nothing is under way any more. */
  idle(): void {
    this.activity = null;
    this.idleSince = performance.now();
    this.bytesRead = this.#socket?.bytesRead ?? 0;
    this.#begunAt = 0;
  }

  /**
   * How long, in milliseconds, the client has kept a request or a reply waiting; 0 while we do not
   * wait for it.
   */
  waiting(now: number): number {
    const since = this.activity?.waitingSince ?? 0;
    return since === 0 ? 0 : now - since;
  }

  /** True when the client has taken or sent nothing for longer than the limits allow. */
  overdue(now: number, limits: ListenerLimits): boolean {
    if (this.activity !== null) {
      const limit = this.activity.isSending ? limits.sendTimeout : limits.stallTimeout;
      return this.waiting(now) > limit;
    }
    if (this.#socket === null) return now - this.idleSince > limits.handshakeTimeout;
    if (this.#socket.bytesRead <= this.bytesRead) return now - this.idleSince > limits.idleTimeout;
    // Nothing tells when the first byte came; this is asked often enough.
    if (this.#begunAt === 0) this.#begunAt = now;
    return now - this.#begunAt > limits.headerTimeout;
  }

  /**
   * Reads no more requests for now. What was read already still comes: a chunk of 64 KiB.
   *
   * `node:http` itself resumes a socket after each request, unless this field says that it shall not.
   */
  hold(): void {
    if (this.#isHeld || this.#socket === null) return;
    this.#isHeld = true;
    Reflect.set(this.#socket, "_paused", true);
    this.#socket.pause();
  }

  /** Reads requests again. */
  release(): void {
    if (!this.#isHeld || this.#socket === null) return;
    this.#isHeld = false;
    Reflect.set(this.#socket, "_paused", false);
    this.#socket.resume();
  }

  /** Lets what was written go out, then closes. */
  end(): void {
    const socket = this.#socket;
    if (socket === null) this.destroy();
    else socket.end(() => this.destroy());
  }

  /** Closes at once. */
  destroy(): void {
    this.#socket?.destroy();
    this.#transport.destroy();
  }
}
