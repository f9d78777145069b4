/** Peers whose answers are not HTTP, or odd HTTP. They may be useless, but must do no harm. */

import { assert, assertEquals } from "../assert.ts";
import { latin1, writeAll } from "../listening.ts";
import { type PeerAnswer, PeerClient, textOf } from "../../src/peers/client.ts";
import type { PeersState } from "../../src/peers/peers.ts";
import { find, servePeer, until } from "./lan.ts";
import { makeRequest } from "../request.ts";

const FILE = "pkg/foo-1-1-any.pkg.tar.zst";
const FOUND = JSON.stringify({ [FILE]: FILE });

/** The bytes with which a peer answers every request. */
const answers: readonly string[] = [
  "",
  "\0\0\0\0",
  "HTTP/1.1",
  "HTTP/1.1 \r\n\r\n",
  "HTTP/1.1 20 OK\r\n\r\n",
  "HTTP/1.1 99999 OK\r\n\r\n",
  "HTTP/9.9 200 OK\r\n\r\n",
  "HTTP/0.9 200 OK\r\n\r\n",
  `${FOUND}`,
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nxx",
  "HTTP/1.1 101 Switching Protocols\r\n\r\n",
  "HTTP/1.1 100 Continue\r\n\r\n".repeat(200),
  "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".repeat(50),
  `HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n${FOUND}`,
  `HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n${FOUND}`,
  `HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\n${FOUND}`,
  `HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n${FOUND}`,
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n${FOUND}`,
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n${FOUND}`,
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n${FOUND}`,
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nTrailer: ${
    "x".repeat(90_000)
  }`,
  `HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n${FOUND}`,
  `HTTP/1.1 200 OK\r\nX: ${"x".repeat(100_000)}\r\n\r\n${FOUND}`,
  `HTTP/1.1 200 OK\r\n${"X: y\r\n".repeat(20_000)}\r\n${FOUND}`,
  `HTTP/1.1 200 OK\r\nX\0Y: z\r\n\r\n${FOUND}`,
  `HTTP/1.1 200 OK\r\n: z\r\n\r\n${FOUND}`,
  "HTTP/1.1 200 OK\r\n__proto__: x\r\nconstructor: y\r\nContent-Length: 4\r\n\r\nnull",
  "HTTP/1.1 200 OK\r\nPacserve-Instance: \x80\xff\r\nContent-Length: 4\r\n\r\nnull",
  "HTTP/1.1 200 OK\r\nPacserve-Instance: aaaaaaaaaaaa\r\nPacserve-Index: 999999999\r\n" +
  "Pacserve-Transfers: -1e9\r\nContent-Length: 4\r\n\r\ntrue",
  "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\ntrue",
  "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
  "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello",
  "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n",
  "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
];

/** Starts a peer that sends the same bytes to every client, and then closes or keeps the connection. */
function serveBytes(bytes: string, closes: boolean): { readonly base: string } & Disposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections = new Set<Deno.TcpConn>();
  void (async () => {
    for await (const connection of listener) {
      connections.add(connection);
      void (async () => {
        await connection.read(new Uint8Array(4096));
        await writeAll(connection, latin1(bytes));
        if (closes) connection.close();
      })().catch(() => {
        // The client has closed the connection.
      });
    }
  })();
  return {
    base: `http://127.0.0.1:${listener.addr.port}/`,
    [Symbol.dispose]: () => {
      listener.close();
      for (const connection of connections) {
        try {
          connection.close();
        } catch {
          // The connection is closed already.
        }
      }
    },
  };
}

for (const closes of [true, false]) {
  const way = closes ? "closes" : "falls silent";
  Deno.test(`Peers: a peer that answers garbage and ${way} is not used, and does no harm`, async () => {
    await using good = await servePeer([FILE]);
    for (const bytes of answers) {
      using bad = serveBytes(bytes, closes);
      const staticPeers = [bad.base, good.base];
      await using asking = await servePeer([], { staticPeers, searchTimeout: 1000 });
      assertEquals([bytes.slice(0, 99), await find(asking, FILE)], [
        bytes.slice(0, 99),
        good.base + FILE,
      ]);
      const entries = await asking.peers.finder.list(["pkg"], makeRequest());
      assertEquals(entries.map(({ peer }) => peer), [good.base]);
      // Search once more: after its nudges the bad peer is asked again.
      await find(asking, "pkg/absent");
    }
  });
}

Deno.test("Peers: bytes after an error become part of no other peer's answer", async () => {
  const triggers = answers.filter((bytes) => /zz|: -1\r|99999 OK|X: x|HTTP\/9|PRI/.test(bytes));
  assert(triggers.length > 5, "the triggers were not found");
  for (const trigger of triggers) {
    using bad = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    using good = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const client = new PeerClient([]);
    const get = (port: number): Promise<PeerAnswer> => {
      const url = `http://127.0.0.1:${port}/`;
      return client.request({ method: "GET", url, timeout: 2000, maximumBody: 1000 });
    };
    const asked = get(bad.addr.port).then(() => "an answer", () => "an error");
    using first = await bad.accept();
    await first.read(new Uint8Array(4096));
    await writeAll(first, latin1(trigger)).catch(() => {});
    assertEquals(await asked, "an error", trigger.slice(0, 99));

    const second = get(good.addr.port);
    using connection = await good.accept();
    await connection.read(new Uint8Array(4096));
    const evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL";
    await writeAll(first, latin1(evil)).catch(() => {
      // The connection was closed because of the error.
    });
    await writeAll(connection, latin1(evil.replace("EVIL", "GOOD")));
    assertEquals(textOf(await second), "GOOD", trigger.slice(0, 99));
    client.close();
  }
});

Deno.test("Peers: many peers that hang do not slow down later searches, however they were found", async () => {
  await using good = await servePeer([FILE]);
  using bad = servePretenders(550);
  const staticPeers = [good.base];
  await using asking = await servePeer([], { staticPeers, searchTimeout: 1000 });
  for (const port of bad.ports) asking.peers.importState(stateOf(port));
  // Each peer may cause one delay.
  await find(asking, "pkg/absent");
  await until(() => {
    return asking.peers.rows().filter(({ state }) => state === "alive").length === 1;
  });
  const times: number[] = [];
  for (let search = 0; search < 20; search++) {
    const start = performance.now();
    assertEquals(await find(asking, FILE), good.base + FILE);
    times.push(performance.now() - start);
  }
  times.sort((one, other) => one - other);
  assert((times[10] ?? Infinity) < 200, `searches took ${times.map(Math.round)} ms`);
});

/** Returns the record of a peer of the previous worker. */
function stateOf(port: number): PeersState {
  const location = { scheme: "http", host: "127.0.0.1", port, path: "/" } as const;
  return { peers: [{ location, origin: "nudge", kind: "pacserve" }] };
}

/** Starts peers that accept connections but never answer. */
function servePretenders(count: number): { readonly ports: number[] } & Disposable {
  const listeners = Array.from({ length: count }, () => {
    return Deno.listen({ hostname: "127.0.0.1", port: 0 });
  });
  const connections: Deno.TcpConn[] = [];
  for (const listener of listeners) {
    void (async () => {
      for await (const connection of listener) connections.push(connection);
    })();
  }
  return {
    ports: listeners.map(({ addr }) => addr.port),
    [Symbol.dispose]: () => {
      for (const listener of listeners) listener.close();
      for (const connection of connections) connection.close();
    },
  };
}
