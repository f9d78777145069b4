import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import type { ClientConnection } from "../../../src/http/client_connection.ts";
import { Connections } from "../../../src/http/connections.ts";
import { DEFAULT_LIMITS } from "../../../src/http/limits.ts";
import { assert, assertEquals } from "../../assert.ts";

const OURS = "10.0.0.1";

/** What connections need of a socket. */
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

/** A listener's connections, for ten neighbours at the most and four of a group. */
class Door {
  readonly connections = new Connections({
    ...DEFAULT_LIMITS,
    connections: 10,
    connectionsPerGroup: 4,
  });
  readonly #inside: ClientConnection[] = [];

  /** So many clients of an address knock; returns how many of them are let in. */
  knock(address: string, times: number, kind: "idle" | "busy" | "stalled"): number {
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

Deno.test("all addresses of an IPv6 network have one bound together", () => {
  using door = new Door();
  let inside = 0;
  for (let host = 1; host <= 20; host++) inside += door.knock(`2001:db8::${host}`, 1, "busy");
  assertEquals(inside, 4);
  assertEquals(door.knock("2001:db8:0:1::1", 1, "busy"), 1);
});

Deno.test("when neighbours have used up all there is, this host's own clients still come in", () => {
  using door = new Door();
  for (let host = 2; host < 100; host++) door.knock(`10.0.0.${host}`, 4, "busy");
  assertEquals(door.connections.size, 10);
  for (const address of ["127.0.0.1", OURS]) assertEquals(door.knock(address, 2, "busy"), 2);
  assertEquals(door.knock("::1", 1, "busy"), 0);
  assertEquals(door.connections.size, 14);
});

Deno.test("this host's own clients take no room from neighbours", () => {
  using door = new Door();
  door.knock("127.0.0.1", 4, "busy");
  for (const host of [2, 3, 4]) door.knock(`10.0.0.${host}`, 3, "busy");
  assertEquals(door.knock("10.0.0.5", 1, "busy"), 1);
});

Deno.test("where a few neighbours have it all, others get their share of it", () => {
  using door = new Door();
  for (const host of [2, 3, 4]) door.knock(`10.0.0.${host}`, 4, "busy");
  assertEquals([2, 3, 4].map((host) => door.open(`10.0.0.${host}`)), [3, 3, 4]);
  assertEquals(door.knock("10.0.0.5", 3, "busy"), 3);
  const counts = [2, 3, 4, 5].map((host) => door.open(`10.0.0.${host}`));
  assert(counts.every((count) => count >= 2 && count <= 3), counts.join(", "));
  // Whoever has most already gets no more.
  assertEquals(door.knock("10.0.0.5", 1, "busy"), 0);
});

Deno.test("an idle connection goes before one at work, also one of a neighbour with few", () => {
  using door = new Door();
  door.knock("10.0.0.2", 4, "busy");
  door.knock("10.0.0.3", 4, "busy");
  door.knock("10.0.0.4", 2, "idle");
  assertEquals(door.knock("10.0.0.5", 1, "busy"), 1);
  assertEquals([2, 3, 4].map((host) => door.open(`10.0.0.${host}`)), [4, 4, 1]);
});

Deno.test("a client that stands still makes room for another one of its address", () => {
  using door = new Door();
  door.knock("10.0.0.2", 3, "busy");
  door.knock("10.0.0.2", 1, "stalled");
  assertEquals(door.knock("10.0.0.2", 2, "busy"), 1);
  assertEquals(door.open("10.0.0.2"), 4);
});
