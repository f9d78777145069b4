import { assert, assertEquals } from "../../assert.ts";
import type { HttpRequest, Reply } from "../../../src/http/exchange.ts";
import type { FinishedExchange } from "../../../src/http/listener.ts";
import { RELAY_TIMES } from "../../../src/pacserve/relay/times.ts";
import { makeCertificates } from "../../certificates.ts";
import {
  latin1,
  readUntil,
  statusOf,
  text,
  until,
  withListener,
  writeAll,
} from "../../listening.ts";
import { Scratch } from "../../scratch.ts";

const GET = latin1("GET / HTTP/1.1\r\nHost: a\r\n\r\n");

function connect(port: number): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

/** Sends a request over a new connection; returns the status of the reply. */
async function ask(port: number): Promise<number> {
  using connection = await connect(port);
  await writeAll(connection, GET);
  return statusOf(await readUntil(connection, (text) => text.includes("\r\n\r\n")));
}

/** A reply that never ends by itself. */
function endless(): Reply {
  const body = async function* (): AsyncGenerator<Uint8Array> {
    while (true) yield await Promise.resolve(new Uint8Array(100_000));
  };
  return { status: 200, headers: {}, body: body() };
}

Deno.test("halfOpenTimeout: closes a connection whose client closed its sending half and gets nothing for a while", async () => {
  let gone = false;
  const handler = (request: HttpRequest): Reply => {
    request.signal.addEventListener("abort", () => gone = true);
    const slowly = async function* (): AsyncGenerator<Uint8Array> {
      for (let piece = 0; piece < 10; piece++) {
        yield latin1("piece");
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      if (request.target === "/endless") await new Promise(() => {});
    };
    return { status: 200, headers: {}, body: slowly() };
  };
  await withListener(handler, async ({ port, connections }) => {
    using patient = await connect(port);
    await writeAll(patient, latin1("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    await patient.closeWrite();
    const answer = await readUntil(patient, () => false);
    assertEquals(answer.split("piece").length, 11);
    assert(!gone);
    const left = await connect(port);
    await writeAll(left, latin1("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n"));
    await readUntil(left, (text) => text.split("piece").length === 11);
    left.close();
    await until(() => gone && connections() === 0, "the client is known to be gone");
  }, { limits: { halfOpenTimeout: 400 } });
});

Deno.test("halfOpenTimeout: a client that closed its sending half waits as long as the relay may be silent", async () => {
  await withListener(async () => {
    await new Promise((resolve) => setTimeout(resolve, RELAY_TIMES.lifelineAfter));
    return text("late");
  }, async ({ port }) => {
    using patient = await connect(port);
    await writeAll(patient, latin1("GET / HTTP/1.0\r\n\r\n"));
    await patient.closeWrite();
    assertEquals(statusOf(await readUntil(patient, () => false)), 200);
  });
});

Deno.test("headerTimeout, idleTimeout: close a connection whose head is slow, or that is idle", async () => {
  const limits = { headerTimeout: 60, idleTimeout: 120 };
  await withListener(() => text("fine"), async ({ port }) => {
    using slow = await connect(port);
    await writeAll(slow, latin1("GET / HT"));
    using mute = await connect(port);
    using idle = await connect(port);
    await writeAll(idle, GET);
    const ends = [slow, mute, idle].map((connection) => readUntil(connection, () => false));
    const [first, second, third] = await Promise.all(ends);
    assertEquals([first, second, statusOf(third ?? "")], ["", "", 200]);
  }, { limits });
});

Deno.test("headerTimeout: begins with the head, not with the idle time before it", async () => {
  // The smallest timeout determines how often connections are checked.
  const limits = { headerTimeout: 1000, handshakeTimeout: 20 };
  await withListener(() => text("fine"), async ({ port }) => {
    using connection = await connect(port);
    await writeAll(connection, GET);
    await readUntil(connection, (text) => text.endsWith("fine"));
    await new Promise((resolve) => setTimeout(resolve, 1200));
    await writeAll(connection, GET.subarray(0, 10));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await writeAll(connection, GET.subarray(10));
    assertEquals(statusOf(await readUntil(connection, (text) => text.endsWith("fine"))), 200);
  }, { limits });
});

Deno.test("stallTimeout: closes a connection whose body stalls, not one whose body keeps coming", async () => {
  const handler = async (request: { body: AsyncIterable<Uint8Array> }): Promise<Reply> => {
    let size = 0;
    for await (const chunk of request.body) size += chunk.byteLength;
    return text(String(size));
  };
  const head = latin1("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n");
  await withListener(handler, async ({ port }) => {
    using still = await connect(port);
    await writeAll(still, head);
    assertEquals(await readUntil(still, () => false), "");

    using moving = await connect(port);
    await writeAll(moving, head);
    const start = performance.now();
    for (let count = 0; count < 12; count++) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      await writeAll(moving, latin1("x"));
    }
    assert(performance.now() - start > 1500, "longer than the limit");
    const reply = await readUntil(moving, (text) => text.endsWith("\r\n\r\n12"));
    assertEquals(statusOf(reply), 200);
  }, { limits: { stallTimeout: 1000 } });
});

Deno.test("sendTimeout: closes a connection whose client does not read the reply", async () => {
  const finished: FinishedExchange[] = [];
  await withListener(endless, async ({ port }) => {
    using connection = await connect(port);
    await writeAll(connection, GET);
    await until(() => finished.length === 1, "the transfer is broken off");
    assertEquals(finished[0]?.aborted, true);
  }, {
    limits: { sendTimeout: 100 },
    events: { finished: (exchange) => void finished.push(exchange) },
  });
});

for (const kind of ["TCP", "TLS"]) {
  Deno.test(`sendTimeout: a client that reads slowly gets the whole reply over ${kind}`, async () => {
    using scratch = new Scratch();
    const path = `${scratch.directory}/file`;
    const length = 12 << 20;
    await Deno.writeFile(path, new Uint8Array(length));
    const parts = { limits: { stallTimeout: 50, sendTimeout: 10_000 } };
    const credentials = kind === "TLS" ? await makeCertificates() : null;
    const tls = credentials === null
      ? {}
      : { tls: { ...credentials.server, requireCertificate: false, authorities: "" } };
    const file = (): Reply => {
      const body = { file: Deno.openSync(path), offset: 0, length };
      return { status: 200, headers: {}, body };
    };
    await withListener(file, async ({ port }) => {
      using connection = credentials === null
        ? await connect(port)
        : await Deno.connectTls({ hostname: "localhost", port, caCerts: [credentials.authority] });
      await writeAll(connection, latin1("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
      const buffer = new Uint8Array(256 * 1024);
      let taken = 0;
      // About 4 MiB a second, with pauses longer than stallTimeout.
      for (let count: number | null = 0; count !== null; taken += count ?? 0) {
        count = await connection.read(buffer);
        if (taken % buffer.length < (count ?? 0)) await new Promise((go) => setTimeout(go, 60));
      }
      assert(taken > length, `${taken} bytes`);
    }, { ...parts, ...tls });
  });
}

Deno.test("listener limits: a handler may take longer than any of them", async () => {
  const times = { stallTimeout: 50, sendTimeout: 50 };
  const limits = { ...times, idleTimeout: 50, headerTimeout: 50, handshakeTimeout: 50 };
  await withListener(
    async () => {
      await new Promise((resolve) => setTimeout(resolve, 250));
      return text("fine");
    },
    async ({ port }) => assertEquals(await ask(port), 200),
    { limits },
  );
});

Deno.test("connectionsPerGroup: with five hundred idle connections, new clients are still served", async () => {
  await withListener(() => text("fine"), async (listener) => {
    const idle: Deno.TcpConn[] = [];
    for (let count = 0; count < 500; count++) idle.push(await connect(listener.port));
    const start = performance.now();
    for (let count = 0; count < 20; count++) assertEquals(await ask(listener.port), 200);
    assert(performance.now() - start < 10_000);
    assert(listener.connections() <= 256);
    for (const connection of idle) connection.close();
  });
});

Deno.test("connectionsPerGroup: when all connections of an address are busy, a new one is refused", async () => {
  const gates: (() => void)[] = [];
  const handler = async (): Promise<Reply> => {
    await new Promise<void>((resolve) => gates.push(resolve));
    return text("fine");
  };
  await withListener(handler, async (listener) => {
    const busy = [await connect(listener.port), await connect(listener.port)];
    for (const connection of busy) await writeAll(connection, GET);
    await until(() => gates.length === 2, "both are busy");
    using other = await connect(listener.port);
    assertEquals(await readUntil(other, () => false), "");
    for (const open of gates) open();
    for (const connection of busy) {
      const reply = await readUntil(connection, (text) => text.endsWith("fine"));
      assertEquals(statusOf(reply), 200);
    }
    assertEquals(listener.connections(), 2);
    for (const connection of busy) connection.close();
  }, { limits: { connectionsPerGroup: 2 } });
});

for (const grace of [10_000, Number.POSITIVE_INFINITY]) {
  Deno.test(`Listener.close: with a grace of ${grace}, replies under way finish and idle connections close`, async () => {
    let open: (() => void) | null = null;
    await withListener(async () => {
      await new Promise<void>((resolve) => open = resolve);
      return text("fine");
    }, async (listener) => {
      using idle = await connect(listener.port);
      using busy = await connect(listener.port);
      await writeAll(busy, GET);
      await until(() => open !== null && listener.connections() === 2, "both are connected");
      const closed = listener.close(grace);
      assertEquals(await readUntil(idle, () => false), "");
      const late = await connect(listener.port).then((connection) => {
        connection.close();
        return "accepted";
      }, () => "refused");
      assertEquals(late, "refused");
      open?.();
      const reply = await readUntil(busy, () => false);
      assertEquals(statusOf(reply), 200);
      assert(/^Connection: close\r$/m.test(reply));
      await closed;
      assertEquals(listener.connections(), 0);
    });
  });
}

Deno.test("Listener.close: breaks off replies that take longer than the grace", async () => {
  const finished: FinishedExchange[] = [];
  await withListener(endless, async (listener) => {
    using connection = await connect(listener.port);
    await writeAll(connection, GET);
    await connection.read(new Uint8Array(100));
    const start = performance.now();
    await listener.close(100);
    assert(performance.now() - start < 5000);
    await until(() => finished.length === 1, "the transfer is reported");
  }, { events: { finished: (exchange) => void finished.push(exchange) } });
});

Deno.test("listen: with ipv6 it accepts IPv4 and IPv6, and IPv4 addresses are not written as IPv6", async () => {
  const seen: string[] = [];
  await withListener((request) => {
    seen.push(request.connection.remoteAddress, request.connection.localAddress);
    return text("fine");
  }, async ({ port, addresses }) => {
    assertEquals(addresses, ["::"]);
    for (const host of ["127.0.0.1", "[::1]"]) {
      assertEquals(await (await fetch(`http://${host}:${port}/`)).text(), "fine");
    }
  }, { address: null, ipv6: true });
  assertEquals(seen, ["127.0.0.1", "127.0.0.1", "::1", "::1"]);
});
