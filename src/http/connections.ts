/** The open connections of a listener: how many there are, and which are closed to make room. */

import type { Socket } from "node:net";
import { addressGroup, isLoopback, plainAddress } from "./address.ts";
import { ClientConnection } from "./client_connection.ts";
import type { Connection } from "./exchange.ts";
import type { ListenerLimits } from "./limits.ts";

/** The group of this host's own clients, of pacman above all. */
const OWN = "this host";

/** All connections of one listener. */
export class Connections {
  readonly #limits: ListenerLimits;
  readonly #bySocket = new Map<Socket, ClientConnection>();
  readonly #groups = new Map<string, Set<ClientConnection>>();
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
   * Takes a new TCP connection in, and closes another one where there are too many.
   *
   * Connections of this host have a bound of their own, so that its pacman is served whatever the
   * neighbours do. Neighbours share the rest: when it is used up, the group with most connections
   * loses one.
   *
   * @returns null when the connection was closed instead.
   */
  add(transport: Socket): ClientConnection | null {
    const address = plainAddress(transport.remoteAddress ?? "");
    const group = groupOf(address, plainAddress(transport.localAddress ?? ""));
    if (!this.#makeRoom(group)) {
      transport.destroy();
      return null;
    }
    const connection = new ClientConnection(transport, address, group);
    this.#all.add(connection);
    const siblings = this.#groups.get(group);
    if (siblings === undefined) this.#groups.set(group, new Set([connection]));
    else siblings.add(connection);
    transport.once("close", () => {
      this.#bySocket.delete(transport);
      this.#remove(connection);
      connection.activity?.closed();
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
  find({ remoteAddress, remotePort, localAddress }: Connection): ClientConnection | undefined {
    for (const connection of this.#groups.get(groupOf(remoteAddress, localAddress)) ?? []) {
      const { address } = connection;
      if (address === remoteAddress && connection.remotePort === remotePort) return connection;
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

  /** Makes room for one more of a group; returns false when that is not to come in. */
  #makeRoom(group: string): boolean {
    const siblings = this.#groups.get(group) ?? new Set();
    const { connections, connectionsPerGroup } = this.#limits;
    let leaving: ClientConnection | null;
    if (siblings.size >= connectionsPerGroup) leaving = this.#dispensable(siblings);
    else if (group === OWN || this.#countOfNeighbours() < connections) return true;
    else leaving = this.#ofTheGreediest(siblings);
    if (leaving === null) return false;
    this.#remove(leaving);
    leaving.destroy();
    return true;
  }

  #countOfNeighbours(): number {
    return this.#all.size - (this.#groups.get(OWN)?.size ?? 0);
  }

  /** One whose loss costs its client nothing, or that seems to stand still. */
  #dispensable(connections: Iterable<ClientConnection>): ClientConnection | null {
    return longestIdle(connections) ?? longestWaiting(connections, this.#limits.stallTimeout);
  }

  /** Which neighbour's connection goes for one more of the group of `siblings`. */
  #ofTheGreediest(siblings: ReadonlySet<ClientConnection>): ClientConnection | null {
    let greediest = siblings;
    for (const [name, group] of this.#groups) {
      if (name !== OWN && group.size > greediest.size) greediest = group;
    }
    if (greediest === siblings) return this.#dispensable(siblings);
    return longestIdle(greediest) ?? longestIdle(this.#neighbours()) ??
      longestWaiting(greediest, 0);
  }

  *#neighbours(): Generator<ClientConnection> {
    for (const connection of this.#all) {
      if (connection.group !== OWN) yield connection;
    }
  }

  #remove(connection: ClientConnection): void {
    if (!this.#all.delete(connection)) return;
    const siblings = this.#groups.get(connection.group);
    siblings?.delete(connection);
    if (siblings?.size === 0) this.#groups.delete(connection.group);
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
    const { handshakeTimeout, headerTimeout, idleTimeout, stallTimeout, sendTimeout } =
      this.#limits;
    return setTimeout(() => {
      const now = performance.now();
      this.#sweeper = this.#sweepLater();
      for (const connection of [...this.#all]) {
        if (connection.overdue(now, this.#limits)) connection.destroy();
      }
    }, Math.min(handshakeTimeout, headerTimeout, idleTimeout, stallTimeout, sendTimeout));
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

/** The one that has kept us waiting longest, and longer than `least` milliseconds. */
function longestWaiting(
  connections: Iterable<ClientConnection>,
  least: number,
): ClientConnection | null {
  const now = performance.now();
  let longest: ClientConnection | null = null;
  for (const connection of connections) {
    if (connection.waiting(now) > (longest?.waiting(now) ?? least)) longest = connection;
  }
  return longest;
}

/**
 * Whom a client shares its bound with: of IPv6 all of a /64 network, because one host has all of it.
 * The other end of a connection that has our own address is on this host.
 */
function groupOf(remoteAddress: string, localAddress: string): string {
  // A client that is gone already has no address any more.
  const isOwn = remoteAddress !== "" && remoteAddress === localAddress;
  return isOwn || isLoopback(remoteAddress) ? OWN : addressGroup(remoteAddress);
}
