/** One open connection of a listener: its state, and how long it has been in that state. */

import type { Socket } from "node:net";
import type { Connection } from "./exchange.ts";
import type { ListenerLimits } from "./limits.ts";

/** The request that a connection is receiving, or the reply that it is sending. */
export interface Activity {
  /** Since when we wait for the client to send or to take bytes (`performance.now()`); 0: not waiting. */
  readonly waitingSince: number;
  /** True while we wait for the client to take bytes, false while we wait for it to send some. */
  readonly isSending: boolean;
  /** Must be called when the client has closed its sending half. */
  inputEnded(): void;
  /** Must be called when the connection is closed. */
  closed(): void;
}

/** The system call, `read` or `write`, with whose error a socket was closed. */
export function failedCall(socket: Socket): string | undefined {
  return (Object(socket.errored) as { readonly syscall?: string }).syscall;
}

/** One client's connection. Under TLS the object exists already before the handshake. */
export class ClientConnection {
  /** The facts that handlers see; null until the handshake is done. */
  facts: Connection | null = null;
  /** The request or reply under way; null between requests. */
  activity: Activity | null = null;
  /** Requests that arrived while an earlier one was being answered, in order of arrival. */
  readonly queue: (() => void)[] = [];
  /** When the last request was finished, by `performance.now()`. */
  idleSince: number = performance.now();
  /** Bytes read from the socket by then. If more have been read since, a next request has begun. */
  bytesRead = 0;
  /** True when the client sent something that is not HTTP; the connection is being closed. */
  broken = false;
  /** True when the client has closed its sending half. */
  inputEnded = false;
  /** IP address of the client. */
  readonly address: string;
  readonly remotePort: number | undefined;
  /** Name of the group of connections that share a limit ({@link Connections}). */
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

  /** Must be called when the handshake is done, or at once without TLS: requests come over `socket`. */
  open(socket: Socket, facts: Connection): void {
    this.#socket = socket;
    this.facts = facts;
    this.idle();
  }

  /**
   * True when the last write failed, or the socket is closed. A client that resets the
   * connection when it has the whole reply makes only the next read fail.
   */
  get failed(): boolean {
    const socket = this.#socket;
    if (socket === null) return true;
    return failedCall(socket) !== "read" &&
      (socket.destroyed || (socket.errored ?? null) !== null);
  }

  /** Notes that the request under way is finished. */
  idle(): void {
    this.activity = null;
    this.idleSince = performance.now();
    this.bytesRead = this.#socket?.bytesRead ?? 0;
    this.#begunAt = 0;
  }

  /**
   * How long we have been waiting for the client to send or take bytes, in milliseconds; 0 while we
   * are not waiting.
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
    // There is no event for the first byte of a request, but this method is called often enough.
    if (this.#begunAt === 0) this.#begunAt = now;
    return now - this.#begunAt > limits.headerTimeout;
  }

  /**
   * Stops reading requests for now. A chunk that was read before, of up to 64 KiB, is still parsed.
   *
   * `node:http` resumes a socket after each request unless the field `_paused` is set.
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

  /** Closes after everything that was written is sent. */
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
