import type { FileSlice, Handler, Reply } from "../../../src/http/exchange.ts";
import type { FinishedExchange } from "../../../src/http/listener.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import {
  latin1,
  rawExchange,
  readUntil,
  statusOf,
  text,
  until,
  withListener,
  writeAll,
} from "../../listening.ts";
import { inScratch } from "../../scratch.ts";

/** Makes a temporary file of `size` bytes, in which neighbouring kilobytes differ. */
async function withFile(size: number, use: (path: string) => Promise<void>): Promise<void> {
  await inScratch(async (directory) => {
    const path = `${directory}/file`;
    await Deno.writeFile(path, pattern(0, size));
    await use(path);
  });
}

function pattern(offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) {
    const place = offset + index;
    bytes[index] = (place ^ (place >> 8) ^ (place >> 16)) & 255;
  }
  return bytes;
}

/** True when the file of a slice was closed. */
function isClosed(slice: FileSlice | undefined): boolean {
  try {
    slice?.file.statSync();
    return false;
  } catch (error) {
    return error instanceof Deno.errors.BadResource;
  }
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === other.byteLength && one.every((byte, index) => byte === other[index]);
}

const SIZE = 5_000_000;

for (
  const [offset, length] of [
    [0, 0],
    [17, 1],
    [5, 65536],
    [5, 65537],
    [0, 1024 * 1024],
    [1, 1024 * 1024 + 1],
    [0, SIZE],
    [SIZE - 3, 3],
  ] as const
) {
  Deno.test(`send: a slice of ${length} bytes from ${offset} arrives unchanged`, async () => {
    await withFile(SIZE, async (path) => {
      const slices: FileSlice[] = [];
      await withListener(() => {
        const slice = { file: Deno.openSync(path), offset, length };
        slices.push(slice);
        return { status: 200, headers: {}, body: slice };
      }, async ({ port }) => {
        const response = await fetch(`http://127.0.0.1:${port}/`);
        assertEquals(response.headers.get("content-length"), String(length));
        assert(same(await response.bytes(), pattern(offset, length)));
        const head = await fetch(`http://127.0.0.1:${port}/`, { method: "HEAD" });
        assertEquals(head.headers.get("content-length"), String(length));
        await until(() => slices.every(isClosed), "the files are closed");
        assertEquals(slices.length, 2);
      });
    });
  });
}

for (const size of [100, 500_000, SIZE]) {
  Deno.test(`send: a file shorter than the ${size} bytes of its slice breaks the transfer off`, async () => {
    await withFile(size - 10, async (path) => {
      const finished: FinishedExchange[] = [];
      await withListener(
        () => ({
          status: 200,
          headers: {},
          body: { file: Deno.openSync(path), offset: 0, length: size },
        }),
        async ({ port }) => {
          const response = await fetch(`http://127.0.0.1:${port}/`);
          await assertRejects(() => response.bytes());
          await until(() => finished.length === 1, "the exchange is reported");
          assertEquals(finished[0]?.aborted, true);
        },
        { events: { finished: (exchange) => void finished.push(exchange) } },
      );
    });
  });
}

Deno.test("send: when the client goes away during the transfer, file and iterator are closed", async () => {
  await withFile(SIZE, async (path) => {
    const slices: FileSlice[] = [];
    const finished: FinishedExchange[] = [];
    let returned = 0;
    let aborted = 0;
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      try {
        while (true) yield new Uint8Array(100_000);
      } finally {
        returned++;
      }
    };
    const handler: Handler = (request) => {
      request.signal.addEventListener("abort", () => aborted++);
      if (request.target === "/stream") return { status: 200, headers: {}, body: endless() };
      const slice = { file: Deno.openSync(path), offset: 0, length: SIZE };
      slices.push(slice);
      return { status: 200, headers: {}, body: slice };
    };
    await withListener(handler, async ({ port }) => {
      for (const target of ["/file", "/stream"]) {
        const connection = await Deno.connect({ hostname: "127.0.0.1", port });
        await connection.write(latin1(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`));
        await connection.read(new Uint8Array(1000));
        connection.close();
      }
      await until(() => finished.length === 2, "both exchanges are reported");
      assert(finished.every((exchange) => exchange.aborted));
      await until(() => isClosed(slices[0]) && returned === 1, "file and iterator are closed");
      assertEquals(aborted, 2);
    }, { events: { finished: (exchange) => void finished.push(exchange) } });
  });
});

Deno.test("send: when the client goes away before the reply, the file of the reply is closed", async () => {
  await withFile(1000, async (path) => {
    const slices: FileSlice[] = [];
    const finished: FinishedExchange[] = [];
    await withListener(async (request) => {
      await new Promise((resolve) => request.signal.addEventListener("abort", resolve));
      const slice = { file: Deno.openSync(path), offset: 0, length: 1000 };
      slices.push(slice);
      return { status: 200, headers: {}, body: slice };
    }, async ({ port }) => {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      await connection.write(latin1("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /again HTTP/1.1\r\n"));
      await new Promise((resolve) => setTimeout(resolve, 20));
      // There are unread bytes, so the kernel sends a reset instead of an orderly end.
      connection.close();
    }, { events: { finished: (exchange) => void finished.push(exchange) } });
    await until(() => finished.length === 1 && isClosed(slices[0]), "the file is closed");
    assertEquals(finished[0]?.aborted, true);
  });
});

/** A reply with a stream of pieces of these sizes; without `length` it is chunked. */
function streamed(pieces: number[], length?: number, fails = false): Reply {
  const body = async function* (): AsyncGenerator<Uint8Array> {
    for (const piece of pieces) yield await Promise.resolve(new Uint8Array(piece).fill(97));
    if (fails) throw new Error("torn");
  };
  const headers: Record<string, string> = {};
  if (length !== undefined) headers["Content-Length"] = String(length);
  return { status: 200, headers, body: body() };
}

Deno.test("send: a stream is sent with its Content-Length, or chunked", async () => {
  const replies = [streamed([5, 0, 100_000], 100_005), streamed([5, 0, 100_000]), streamed([])];
  await withListener(() => replies.shift() ?? text(""), async ({ port }) => {
    const lengths: (string | null)[] = [];
    for (const size of [100_005, 100_005, 0]) {
      const response = await fetch(`http://127.0.0.1:${port}/`);
      lengths.push(response.headers.get("content-length"));
      assertEquals((await response.bytes()).byteLength, size);
    }
    assertEquals(lengths, ["100005", null, null]);
  });
});

Deno.test("send: a stream that is too short, too long or fails breaks the transfer off", async () => {
  const replies = [streamed([5], 6), streamed([5, 5], 6), streamed([5], undefined, true)];
  const failures: unknown[] = [];
  await withListener(() => replies.shift() ?? text(""), async ({ port }) => {
    for (let count = 0; count < 3; count++) {
      await assertRejects(async () => {
        await (await fetch(`http://127.0.0.1:${port}/`)).bytes();
      });
    }
    await until(() => failures.length === 3, "each failure is reported");
  }, { events: { failed: (error) => void failures.push(error) } });
});

Deno.test("send: a stream that fails before its first piece gives a 500", async () => {
  await withListener(() => streamed([], undefined, true), async ({ port }) => {
    const response = await fetch(`http://127.0.0.1:${port}/`);
    assertEquals(response.status, 500);
    assert(!(await response.text()).includes("torn"));
  });
});

Deno.test("send: a header field with a line break gives a 500", async () => {
  const reply = { status: 200, headers: { "X-A": "b\r\nX-C: d" }, body: null };
  await withListener(() => reply, async ({ port }) => {
    const response = await fetch(`http://127.0.0.1:${port}/`);
    assertEquals([response.status, response.headers.get("x-c")], [500, null]);
    await response.text();
  });
});

Deno.test("send: the file of a reply that cannot be sent is closed", async () => {
  await withFile(SIZE, async (path) => {
    const slices: FileSlice[] = [];
    await withListener((request) => {
      const slice = {
        file: Deno.openSync(path),
        offset: 0,
        length: Number(request.target.slice(1)),
      };
      slices.push(slice);
      return { status: 200, headers: { "X-A": "b\r\nX-C: d" }, body: slice };
    }, async ({ port }) => {
      for (const length of [10, 500_000, SIZE]) {
        for (const method of ["GET", "HEAD"]) {
          const response = await fetch(`http://127.0.0.1:${port}/${length}`, { method });
          assertEquals(response.status, 500);
          await response.text();
        }
      }
    });
    assertEquals(slices.length, 6);
    assert(slices.every(isClosed));
  });
});

Deno.test("send: a reply in one piece whose client goes away is reported as aborted", async () => {
  const finished: FinishedExchange[] = [];
  const body = new Uint8Array(64_000_000);
  await withListener(() => ({ status: 200, headers: {}, body }), async ({ port }) => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(latin1("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    await connection.read(new Uint8Array(1000));
    connection.close();
    await until(() => finished.length === 1, "the exchange is reported");
    assertEquals(finished[0]?.aborted, true);
  }, { events: { finished: (exchange) => void finished.push(exchange) } });
});

Deno.test("send: replies without a body, and repeated header fields", async () => {
  const handler: Handler = (request) => ({
    status: Number(request.target.slice(1)),
    headers: { "WWW-Authenticate": ["Digest a", "Digest b"] },
    body: null,
  });
  await withListener(handler, async ({ port }) => {
    for (const status of [200, 204, 304, 404]) {
      const close = "Host: a\r\nConnection: close";
      const reply = await rawExchange(port, `GET /${status} HTTP/1.1\r\n${close}\r\n\r\n`);
      assertEquals(statusOf(reply), status);
      assertEquals(reply.match(/^WWW-Authenticate: /gm)?.length, 2);
      assertEquals(/^Content-Length: 0\r$/m.test(reply), status !== 204 && status !== 304);
      assert(reply.endsWith("\r\n\r\n"));
      assert(/^Date: /m.test(reply) && !/X-Powered-By/i.test(reply));
    }
  });
});

Deno.test("HttpRequest.body: 100 Continue is sent when the handler begins to read, not before", async () => {
  const handler: Handler = async (request) => {
    if (request.target === "/no") return text("no", 413);
    let size = 0;
    for await (const chunk of request.body) size += chunk.byteLength;
    return text(String(size));
  };
  const head = "HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
  await withListener(handler, async ({ port }) => {
    using willing = await Deno.connect({ hostname: "127.0.0.1", port });
    await writeAll(willing, latin1(`POST /yes ${head}`));
    const first = await readUntil(willing, (text) => text.includes("\r\n\r\n"));
    assertEquals(statusOf(first), 100);
    await writeAll(willing, latin1("hello"));
    const second = await readUntil(willing, (text) => text.endsWith("\r\n\r\n5"));
    assertEquals(statusOf(second), 200);

    // The server must close the connection: it cannot know whether the next bytes are the body.
    const refused = await rawExchange(port, `POST /no ${head}`);
    assertEquals(statusOf(refused), 413);
    assert(/^Connection: close\r$/m.test(refused));
  });
});

Deno.test("send: a client that is still sending an unread body gets the reply", async () => {
  await withListener(() => text("too much", 413), async ({ port }) => {
    const size = 8_000_000;
    const head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`;
    const reply = await rawExchange(port, head + "x".repeat(size));
    assertEquals(statusOf(reply), 413);
    assert(reply.endsWith("too much"));
  });
});

Deno.test("HttpRequest.body: a handler may stop reading before the end", async () => {
  await withListener(async (request) => {
    for await (const _chunk of request.body) break;
    return text("enough", 413);
  }, async ({ port }) => {
    const size = 4_000_000;
    const head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`;
    const reply = await rawExchange(port, head + "x".repeat(size));
    assertEquals(statusOf(reply), 413);
    assert(reply.endsWith("enough"));
  });
});

Deno.test("HttpRequest.body: reading fails when the client goes away before the end", async () => {
  const finished: FinishedExchange[] = [];
  await withListener(async (request) => {
    for await (const _chunk of request.body);
    return text("complete");
  }, async ({ port }) => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await writeAll(
      connection,
      latin1("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhello"),
    );
    connection.close();
    await until(() => finished.length === 1, "the exchange is reported");
  }, { events: { finished: (exchange) => void finished.push(exchange) } });
  assertEquals(finished.map(({ reply, aborted }) => [reply.status, aborted]), [[500, true]]);
});

Deno.test("listen: pipelined requests are answered one after the other, in order", async () => {
  let running = 0;
  let most = 0;
  await withListener(async (request) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, request.target === "/0" ? 20 : 0));
    running--;
    return text(request.target);
  }, async ({ port }) => {
    const requests = Array.from(
      { length: 20 },
      (_, index) => `GET /${index} HTTP/1.1\r\nHost: a\r\n`,
    );
    requests[19] += "Connection: close\r\n";
    const reply = await rawExchange(port, requests.map((request) => `${request}\r\n`).join(""));
    const bodies = [...reply.matchAll(/\r\n\r\n(\/\d+)/g)].map((match) => match[1]);
    assertEquals(bodies, Array.from({ length: 20 }, (_, index) => `/${index}`));
  });
  assertEquals(most, 1);
});
