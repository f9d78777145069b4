/** The open connections of a listener: limits their number, and chooses which to close at the limit. */

import type { Socket } from "node:net";
import { addressGroup, isLoopback, plainAddress } from "./address.ts";
import { type Activity, ClientConnection } from "./client_connection.ts";
import type { Connection } from "./exchange.ts";
import type { ListenerLimits } from "./limits.ts";

/** The group of the clients on this host, mainly pacman. */
const OWN = "this host";

/** The open connections of one listener. */
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
   * Adds a new TCP connection, and closes another one when there are too many.
   *
   * Connections from this host have a limit of their own, so that other hosts ("neighbours") cannot
   * keep its pacman from being served. All neighbours share a limit: when it is reached, the group
   * with the most connections loses one.
   *
   * @returns null when the new connection was closed because there is no room for it.
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
    this.#groups.getOrInsertComputed(group, () => new Set()).add(connection);
    transport.once("close", () => {
      this.#bySocket.delete(transport);
      this.#remove(connection);
      connection.activity?.closed();
    });
    this.#sweeper ??= this.#sweepLater();
    return connection;
  }

  /** Sets the socket over which the requests of a connection come. */
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

  /** The requests and replies that are under way on all connections. */
  activities(): Activity[] {
    return [...this.#all].flatMap(({ activity }) => activity ?? []);
  }

  /** The connection to which a socket belongs. */
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

  /** Closes the connections without a request or reply under way. */
  closeIdle(): void {
    for (const connection of [...this.#all]) {
      if (connection.activity === null) connection.destroy();
    }
  }

  /** Closes all connections at once. */
  closeAll(): void {
    for (const connection of [...this.#all]) connection.destroy();
  }

  /** Resolves when the last connection is closed. */
  empty(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#all.size === 0) resolve();
      else this.#whenEmpty = resolve;
    });
  }

  /** Makes room for one more connection of a group; false when the group must not get one. */
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

  /** The connection whose loss costs least: the longest idle one, else one that seems stalled. */
  #dispensable(connections: Iterable<ClientConnection>): ClientConnection | null {
    return longestIdle(connections) ?? longestWaiting(connections, this.#limits.stallTimeout);
  }

  /** The neighbour's connection to close so that the group of `siblings` can have one more. */
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
   * Closes overdue connections. One timer serves all connections and runs only while there are any: a
   * timer for each would make every request slower, and would wake an idle machine.
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

/** The connection whose client has kept us waiting longest, if for more than `least` milliseconds. */
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
 * The group whose limit a client shares: that of this host, an IPv4 address, or an IPv6 /64 network,
 * because one host can use all of a /64. When both ends of a connection have the same address, the
 * client is on this host.
 */
function groupOf(remoteAddress: string, localAddress: string): string {
  // The address is empty when the client has gone away already.
  const isOwn = remoteAddress !== "" && remoteAddress === localAddress;
  return isOwn || isLoopback(remoteAddress) ? OWN : addressGroup(remoteAddress);
}
