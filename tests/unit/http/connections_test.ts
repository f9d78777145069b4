import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import type { ClientConnection } from "../../../src/http/client_connection.ts";
import { Connections } from "../../../src/http/connections.ts";
import { DEFAULT_LIMITS } from "../../../src/http/limits.ts";
import { assert, assertEquals } from "../../assert.ts";

const OURS = "10.0.0.1";

/** The parts of a socket that `Connections` uses. */
class TestSocket extends EventEmitter {
  destroyed = false;
  readonly localAddress = OURS;
  readonly remotePort = 1;

  constructor(readonly remoteAddress: string) {
    super();
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit("close");
  }
}

/** The connections of a listener, with limits of ten for neighbours and four for a group. */
class Clients {
  readonly connections = new Connections({
    ...DEFAULT_LIMITS,
    connections: 10,
    connectionsPerGroup: 4,
  });
  readonly #inside: ClientConnection[] = [];

  /** Opens connections from an address; returns how many were accepted. */
  connect(address: string, times: number, kind: "idle" | "busy" | "stalled"): number {
    let count = 0;
    for (let time = 0; time < times; time++) {
      const socket = new TestSocket(address);
      const connection = this.connections.add(socket as unknown as Socket);
      assertEquals(connection === null, socket.destroyed);
      if (connection === null) continue;
      count++;
      this.#inside.push(connection);
      socket.once("close", () => this.#inside.splice(this.#inside.indexOf(connection), 1));
      if (kind === "idle") continue;
      const waiting = kind === "busy" ? 1 : 2 * DEFAULT_LIMITS.stallTimeout;
      connection.activity = {
        waitingSince: performance.now() - waiting,
        isSending: true,
        inputEnded: () => {},
        closed: () => {},
      };
    }
    return count;
  }

  /** How many connections of an address are open. */
  open(address: string): number {
    return this.#inside.filter((connection) => connection.address === address).length;
  }

  [Symbol.dispose](): void {
    this.connections.closeAll();
    assertEquals(this.connections.size, 0);
  }
}

Deno.test("Connections: all addresses of an IPv6 /64 network share one limit", () => {
  using clients = new Clients();
  let inside = 0;
  for (let host = 1; host <= 20; host++) inside += clients.connect(`2001:db8::${host}`, 1, "busy");
  assertEquals(inside, 4);
  assertEquals(clients.connect("2001:db8:0:1::1", 1, "busy"), 1);
});

Deno.test("Connections: when neighbours have reached their limit, this host's own clients still connect", () => {
  using clients = new Clients();
  for (let host = 2; host < 100; host++) clients.connect(`10.0.0.${host}`, 4, "busy");
  assertEquals(clients.connections.size, 10);
  for (const address of ["127.0.0.1", OURS]) assertEquals(clients.connect(address, 2, "busy"), 2);
  assertEquals(clients.connect("::1", 1, "busy"), 0);
  assertEquals(clients.connections.size, 14);
});

Deno.test("Connections: this host's own clients do not count against the limit of neighbours", () => {
  using clients = new Clients();
  clients.connect("127.0.0.1", 4, "busy");
  for (const host of [2, 3, 4]) clients.connect(`10.0.0.${host}`, 3, "busy");
  assertEquals(clients.connect("10.0.0.5", 1, "busy"), 1);
});

Deno.test("Connections: when a few neighbours have all connections, others get a share of them", () => {
  using clients = new Clients();
  for (const host of [2, 3, 4]) clients.connect(`10.0.0.${host}`, 4, "busy");
  assertEquals([2, 3, 4].map((host) => clients.open(`10.0.0.${host}`)), [3, 3, 4]);
  assertEquals(clients.connect("10.0.0.5", 3, "busy"), 3);
  const counts = [2, 3, 4, 5].map((host) => clients.open(`10.0.0.${host}`));
  assert(counts.every((count) => count >= 2 && count <= 3), counts.join(", "));
  // A neighbour with the most connections gets no more.
  assertEquals(clients.connect("10.0.0.5", 1, "busy"), 0);
});

Deno.test("Connections: an idle connection is closed before a busy one, even of a neighbour with few", () => {
  using clients = new Clients();
  clients.connect("10.0.0.2", 4, "busy");
  clients.connect("10.0.0.3", 4, "busy");
  clients.connect("10.0.0.4", 2, "idle");
  assertEquals(clients.connect("10.0.0.5", 1, "busy"), 1);
  assertEquals([2, 3, 4].map((host) => clients.open(`10.0.0.${host}`)), [4, 4, 1]);
});

Deno.test("Connections: a stalled connection is closed for another one of its address", () => {
  using clients = new Clients();
  clients.connect("10.0.0.2", 3, "busy");
  clients.connect("10.0.0.2", 1, "stalled");
  assertEquals(clients.connect("10.0.0.2", 2, "busy"), 1);
  assertEquals(clients.open("10.0.0.2"), 4);
});
