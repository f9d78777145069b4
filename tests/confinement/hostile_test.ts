/** Tests, with the real program, that a hostile client on the LAN neither exhausts nor blocks the server. */

import { descriptorsOf, memoryOf } from "../../soak/process_state.ts";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { programCommand } from "../lan/pacserve.ts";
import { eventually } from "../lan/process.ts";
import { latin1, rawExchange, readUntil, statusOf, writeAll } from "../listening.ts";
import { type RunningServer, startListening, startServer } from "../running_server.ts";
import { inScratch, shell, writeFiles } from "../scratch.ts";

const HEAD = "Host: 127.0.0.1\r\nConnection: close\r\n";
const MEGABYTE = 1 << 20;

/** How long an ordinary client may wait, in milliseconds, on a machine that is busy with tests. */
const NORMAL = 2_000;

async function inServer(
  words: readonly string[],
  use: (server: RunningServer, top: string) => Promise<void>,
): Promise<void> {
  await inScratch(async (top) => {
    writeFiles(top, { "s/file": "file", "s/large": "x".repeat(600_000), "up/old": "old" });
    await using server = await startServer("quickserve", [
      `${top}/s`,
      "--upload",
      `${top}/up`,
      "--verbose",
      ...words,
    ]);
    await use(server, top);
  });
}

function message(json: string): string {
  const body = `json=${json}`;
  return `POST / HTTP/1.1\r\n${HEAD}Content-Type: application/x-www-form-urlencoded\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** Requests a file as an ordinary client; resolves to the milliseconds that it took. */
async function served({ port }: RunningServer): Promise<number> {
  const start = performance.now();
  const reply = await rawExchange(port, `GET /s/file HTTP/1.1\r\n${HEAD}\r\n`);
  assertEquals(statusOf(reply), 200);
  assert(reply.endsWith("\r\n\r\nfile"), reply);
  return performance.now() - start;
}

/** Opens many connections, sends the same request on each, and closes them after `use`. */
async function besieged(
  { port }: RunningServer,
  count: number,
  request: string,
  use: (connections: readonly Deno.TcpConn[]) => Promise<void>,
): Promise<void> {
  const connections: Deno.TcpConn[] = [];
  try {
    for (let index = 0; index < count; index++) {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      connections.push(connection);
      // The server may have closed this connection to make room for others.
      await writeAll(connection, latin1(request)).catch(() => {});
    }
    await use(connections);
  } finally {
    for (const connection of connections) connection.close();
  }
}

Deno.test("quickserve: with 500 connections that send half a request, others are served in normal time", async () => {
  await inServer([], async (server) => {
    const before = await descriptorsOf(server.program.pid);
    for (const request of ["", "GET / HTTP/1.1\r\nHost: a\r\nX: "]) {
      await besieged(server, 500, request, async () => {
        for (let turn = 0; turn < 20; turn++) assert(await served(server) < NORMAL, "it is slow");
      });
    }
    await eventually("every connection is closed", async () => {
      const { sockets } = await descriptorsOf(server.program.pid);
      return sockets <= before.sockets;
    });
  });
});

Deno.test("quickserve: accepts connections again soon after it had too many open files", async () => {
  await inScratch(async (top) => {
    writeFiles(top, { "s/file": "file" });
    const limited = ["sh", "-c", 'ulimit -n 200; exec "$@"', "sh", ...programCommand("quickserve")];
    const words = ["--address", "127.0.0.1", "--port", "0", `${top}/s`];
    await using server = await startListening([...limited, ...words]);
    await besieged(server, 500, "GET /s", async () => {
      await eventually("as many files are open as permitted", async () => {
        const { sockets, files, others } = await descriptorsOf(server.program.pid);
        return sockets + files.length + others > 195;
      });
    });
    await eventually("a request is served", async () => {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
      // While the server does not accept connections, this one would wait for ever.
      const timer = setTimeout(() => connection.close(), NORMAL);
      await writeAll(connection, latin1(`GET /s/file HTTP/1.1\r\n${HEAD}\r\n`));
      const reply = await readUntil(connection, (text) => text.endsWith("file"));
      clearTimeout(timer);
      return statusOf(reply) === 200;
    }, 60_000);
    assert(server.program.lines.some((line) => line.includes("no longer accepted connections")));
  });
});

Deno.test("quickserve: with stalled downloads and endless uploads, others are served", async () => {
  await inServer([], async (server, top) => {
    shell(top, "truncate -s 1G s/huge");
    await besieged(server, 100, "GET /s/huge HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", async () => {
      await eventually("all transfers have begun", async () => {
        const { files } = await descriptorsOf(server.program.pid);
        return files.filter((file) => file === `${top}/s/huge`).length === 100;
      });
      for (let turn = 0; turn < 5; turn++) assert(await served(server) < 2 * NORMAL, "it is slow");
    });
    const upload = `PUT /never HTTP/1.1\r\n${HEAD}Content-Length: 9999999\r\n\r\n${
      "x".repeat(999)
    }`;
    await besieged(server, 100, upload, async () => {
      for (let turn = 0; turn < 5; turn++) assert(await served(server) < NORMAL, "it is slow");
    });
    await eventually("nothing is left of the uploads", () => {
      return [...Deno.readDirSync(`${top}/up`)].length === 1;
    });
    await eventually("every file is closed", async () => {
      const { files } = await descriptorsOf(server.program.pid);
      return !files.some((file) => file.startsWith(top));
    });
  });
});

Deno.test("quickserve: JSON of depth 10,000 and of 100 MB is refused, and takes little memory", async () => {
  await inServer([], async (server) => {
    await served(server);
    const before = await memoryOf(server.program.pid);
    for (
      const [json, status] of [
        ["[".repeat(10_000), 400],
        ['{"type":'.repeat(10_000), 400],
        ["[".repeat(10_000) + "]".repeat(10_000), 400],
        [`{"type":"nudge","uri":${"[".repeat(10_000)}1${"]".repeat(10_000)}}`, 200],
        ['{"__proto__":{"type":"nudge","uri":"http://x/"}}', 400],
        ['{"type":"file check","paths":["__proto__"],"hops":1e308}', 200],
        ["%5B".repeat(300_000), 400],
        ["[" + "1,".repeat(400_000) + "1]", 400],
      ] as const
    ) {
      const reply = await rawExchange(server.port, message(json));
      assertEquals([json.slice(0, 40), statusOf(reply)], [json.slice(0, 40), status]);
      if (status === 200) assertMatch(reply, /\r\n\r\n(null|\{\})$/);
    }
    assertEquals(await statusOfEndlessMessage(server), 413);
    assert(await served(server) < NORMAL);
    const grown = await memoryOf(server.program.pid) - before;
    assert(grown < 150 * MEGABYTE, `${Math.round(grown / MEGABYTE)} MB`);
  });
});

Deno.test("quickserve: with 100 requests for a listing of 20,000 files, others are served", async () => {
  await inServer([], async (server, top) => {
    for (let index = 0; index < 20_000; index++) {
      Deno.writeTextFileSync(`${top}/s/many${index}`, "");
    }
    const listing = `GET /s/ HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`;
    const start = performance.now();
    assertEquals(statusOf(await rawExchange(server.port, listing)), 200);
    // A hundred listings, one after the other, would take a hundred times as long.
    const limit = Math.max(NORMAL, 10 * (performance.now() - start));
    await besieged(server, 100, listing, async (connections) => {
      let answered = false;
      const answers = connections.map((connection) => readUntil(connection, (text) => text !== ""));
      const all = Promise.all(answers).finally(() => answered = true);
      while (!answered) assert(await served(server) < limit, "it is slow");
      await all;
    });
  });
});

/** Sends a message of 100 MB until the server closes the connection. */
async function statusOfEndlessMessage({ port }: RunningServer): Promise<number> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const head = message("").replace(/Content-Length: \d+/, `Content-Length: ${100 * MEGABYTE}`);
  const reply = readUntil(connection, (text) => text.includes("\r\n\r\n"));
  const piece = new Uint8Array(MEGABYTE).fill(0x5b);
  try {
    await writeAll(connection, latin1(head));
    for (let sent = 0; sent < 100; sent++) await writeAll(connection, piece);
  } catch {
    // The server closed the connection. The reply that it sent before is read below.
  }
  return statusOf(await reply);
}

Deno.test("Range: 1,000 ranges get the whole file once, and overlapping ranges no more bytes than that", async () => {
  await inServer([], async ({ port }) => {
    const thousand = Array.from({ length: 1000 }, (_, at) => `${at * 3}-${at * 3}`).join(",");
    const whole = await rawExchange(
      port,
      `GET /s/large HTTP/1.1\r\n${HEAD}Range: bytes=${thousand}\r\n\r\n`,
    );
    assertEquals(statusOf(whole), 200);
    const overlapping = Array.from({ length: 60 }, () => "0-").join(",");
    const once = await rawExchange(
      port,
      `GET /s/large HTTP/1.1\r\n${HEAD}Range: bytes=${overlapping}\r\n\r\n`,
    );
    assertEquals(statusOf(once), 206);
    assert(once.length < 700_000, `${once.length} bytes`);
  });
});

Deno.test("access log: a client's text cannot forge a line", async () => {
  await inServer([], async (server) => {
    const { port, program } = server;
    await rawExchange(
      port,
      `GET /%0a%1b[2J"%20200 HTTP/1.1\r\n${HEAD}User-Agent: a" 200 1 "b\r\nReferer: \x85\x9b2J\r\n\r\n`,
    );
    const line = await program.line(/%0a/);
    // deno-lint-ignore no-control-regex -- the log must not contain control characters
    assert(!/[\x00-\x1f\x7f-\x9f]/.test(line), line);
    assertEquals(line.split('"').length, 7, line);
  });
});

Deno.test("--peer: two servers that are each other's peers do not ask each other in a loop", async () => {
  await inScratch(async (top) => {
    writeFiles(top, { "s/file": "file" });
    await using one = await startServer("quickserve", [`${top}/s`, "--verbose"]);
    const words = [`${top}/s`, "--verbose", "--peer", `${one.base}/`];
    await using other = await startServer("quickserve", words);
    await one.program.line(/found peer /);
    for (const { port } of [one, other]) {
      const start = performance.now();
      const reply = await rawExchange(port, `GET /s/absent HTTP/1.1\r\n${HEAD}\r\n`);
      assertEquals(statusOf(reply), 404);
      assert(performance.now() - start < NORMAL);
      const hops = '{"type":"file check","paths":["s/absent"],"hops":1000000}';
      assertMatch(await rawExchange(port, message(hops)), /\r\n\r\n\{\}$/);
    }
    for (const { program } of [one, other]) {
      // Nudges, and one or two questions for each of the four requests, but no chain of questions.
      const requests = program.lines.filter((line) => /"(POST|HEAD|GET) /.test(line));
      assert(requests.length < 16, requests.join("\n"));
    }
  });
});

Deno.test("nudge: the host in its URI is ignored, and the sender is asked instead", async () => {
  using bait = Deno.listen({ hostname: "127.0.0.2", port: 0 });
  let bitten = false;
  void bait.accept().then((connection) => {
    bitten = true;
    connection.close();
  }).catch(() => {});
  await inServer([], async (server) => {
    const { port } = bait.addr;
    for (const host of ["127.0.0.2", "127.0.0.2.", "[::ffff:127.0.0.2]", "0x7f000002"]) {
      const nudge = JSON.stringify({ type: "nudge", uri: `http://${host}:${port}/` });
      assertEquals(statusOf(await rawExchange(server.port, message(nudge))), 200);
    }
    // The server asks the sender instead, where nothing listens on that port.
    await server.program.line(new RegExp(`peer http://127\\.0\\.0\\.1:${port}/: `));
    assert(!bitten, "it asked another host");
  });
});

Deno.test("quickserve: an endless request line gets a 414, and the connection is closed", async () => {
  await inServer([], async ({ port }) => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await writeAll(connection, latin1(`GET /${"a".repeat(40_000)}`));
    const reply = await readUntil(connection, () => false);
    assertEquals(statusOf(reply), 414);
  });
});
