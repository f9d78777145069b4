/** The open connections of a listener: what each is doing, how many there are, who has to go. */

import type { Socket } from "node:net";
import { plainAddress } from "./address.ts";
import type { Connection } from "./exchange.ts";
import type { ListenerLimits } from "./limits.ts";

/** A request or its reply that is under way on a connection. */
export interface Activity {
  /** Since when we wait for the client to send or to take bytes; 0 while we do not. */
  readonly waitingSince: number;
  /** The client sends no more. */
  inputEnded(): void;
  /** The connection broke. */
  abort(): void;
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
  readonly address: string;
  readonly remotePort: number | undefined;
  readonly #transport: Socket;
  #socket: Socket | null = null;

  /** @param transport the TCP socket */
  constructor(transport: Socket, address: string) {
    this.#transport = transport;
    this.address = address;
    this.remotePort = transport.remotePort;
  }

  /** The handshake is done (or there is none): requests will come over this socket. */
  open(socket: Socket, facts: Connection): void {
    this.#socket = socket;
    this.facts = facts;
    this.idle();
  }

  /** True when the last write failed, or nothing can be written any more. */
  get failed(): boolean {
    const socket = this.#socket;
    return socket === null || socket.destroyed || (socket.errored ?? null) !== null;
  }

  /** Notes that nothing is under way any more. */
  idle(): void {
    this.activity = null;
    this.idleSince = performance.now();
    this.bytesRead = this.#socket?.bytesRead ?? 0;
  }

  /** True when the client has taken or sent nothing for longer than the limits allow. */
  overdue(now: number, limits: ListenerLimits): boolean {
    if (this.activity !== null) {
      const since = this.activity.waitingSince;
      return since !== 0 && now - since > limits.stallTimeout;
    }
    if (this.#socket === null) return now - this.idleSince > limits.handshakeTimeout;
    const begun = this.#socket.bytesRead > this.bytesRead;
    return now - this.idleSince > (begun ? limits.headerTimeout : limits.idleTimeout);
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

/** All connections of one listener. */
export class Connections {
  readonly #limits: ListenerLimits;
  readonly #bySocket = new Map<Socket, ClientConnection>();
  readonly #byAddress = new Map<string, Set<ClientConnection>>();
  readonly #all = new Set<ClientConnection>();
  #sweeper: ReturnType<typeof setTimeout> | null = null;
  #whenEmpty: (() => void) | null = null;

  constructor(limits: ListenerLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#all.size;
  }

  /**
   * Takes a new TCP connection in. Where there are too many, the one that has been idle longest goes;
   * where none is idle, the new one goes.
   *
   * @returns null when the connection was closed instead.
   */
  add(transport: Socket): ClientConnection | null {
    const address = plainAddress(transport.remoteAddress ?? "");
    const limits = this.#limits;
    const siblings = this.#byAddress.get(address) ?? new Set();
    const crowded = siblings.size >= limits.connectionsPerAddress ? siblings : this.#all;
    const limit = crowded === siblings ? limits.connectionsPerAddress : limits.connections;
    if (crowded.size >= limit) {
      const idlest = longestIdle(crowded);
      if (address === "" || idlest === null) {
        transport.destroy();
        return null;
      }
      this.#remove(idlest);
      idlest.destroy();
    }
    const connection = new ClientConnection(transport, address);
    this.#all.add(connection);
    siblings.add(connection);
    this.#byAddress.set(address, siblings);
    transport.once("close", () => {
      this.#bySocket.delete(transport);
      this.#remove(connection);
      connection.activity?.abort();
    });
    this.#sweeper ??= this.#sweepLater();
    return connection;
  }

  /** Says over which socket the requests of a connection will come. */
  open(connection: ClientConnection, socket: Socket, facts: Connection): void {
    connection.open(socket, facts);
    this.#bySocket.set(socket, connection);
    socket.once("end", () => {
      connection.inputEnded = true;
      connection.activity?.inputEnded();
    });
    socket.once("close", () => {
      this.#bySocket.delete(socket);
      connection.destroy();
    });
  }

  /** The connection of a socket that a request came over. */
  of(socket: Socket): ClientConnection | undefined {
    return this.#bySocket.get(socket);
  }

  /** The connection that came from a remote address and port. */
  find(address: string, port: number | undefined): ClientConnection | undefined {
    for (const connection of this.#byAddress.get(address) ?? []) {
      if (connection.remotePort === port) return connection;
    }
    return undefined;
  }

  /** Closes those with nothing under way. */
  closeIdle(): void {
    for (const connection of [...this.#all]) {
      if (connection.activity === null) connection.destroy();
    }
  }

  /** Closes all. */
  closeAll(): void {
    for (const connection of [...this.#all]) connection.destroy();
  }

  /** Resolves when there is no connection left. */
  empty(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#all.size === 0) resolve();
      else this.#whenEmpty = resolve;
    });
  }

  #remove(connection: ClientConnection): void {
    if (!this.#all.delete(connection)) return;
    const siblings = this.#byAddress.get(connection.address);
    siblings?.delete(connection);
    if (siblings?.size === 0) this.#byAddress.delete(connection.address);
    if (this.#all.size > 0) return;
    clearTimeout(this.#sweeper ?? undefined);
    this.#sweeper = null;
    this.#whenEmpty?.();
  }

  /**
   * One timer for all connections, running only while there are any: a timer each would cost every
   * request something, and would wake an idle machine.
   */
  #sweepLater(): ReturnType<typeof setTimeout> {
    const { handshakeTimeout, headerTimeout, idleTimeout, stallTimeout } = this.#limits;
    return setTimeout(() => {
      const now = performance.now();
      this.#sweeper = this.#sweepLater();
      for (const connection of [...this.#all]) {
        if (connection.overdue(now, this.#limits)) connection.destroy();
      }
    }, Math.min(handshakeTimeout, headerTimeout, idleTimeout, stallTimeout));
  }
}

function longestIdle(connections: Iterable<ClientConnection>): ClientConnection | null {
  let longest: ClientConnection | null = null;
  for (const connection of connections) {
    if (connection.activity !== null) continue;
    if (longest === null || connection.idleSince < longest.idleSince) longest = connection;
  }
  return longest;
}
