import type { HttpRequest } from "../../../src/http/exchange.ts";
import { assertEquals } from "../../assert.ts";
import { rawExchange, statusOf, text, withListener } from "../../listening.ts";

const HOST = "Host: a\r\n";

/** Requests, each of which is sent on its own connection, and the status of the reply. */
const TABLE: Record<string, readonly [request: string, status: number]> = {
  "a valid request": [`GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 200],
  "HTTP/1.0 without Host": ["GET / HTTP/1.0\r\n\r\n", 200],
  "empty lines before the request": [
    `\r\n\r\nGET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
    200,
  ],
  "an unknown upgrade": [
    `GET / HTTP/1.1\r\n${HOST}Connection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n`,
    200,
  ],
  "no Host": ["GET / HTTP/1.1\r\n\r\n", 400],
  "two Hosts": [`GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`, 400],
  "a malformed Host": ["GET / HTTP/1.1\r\nHost: a b/c\r\n\r\n", 400],
  "a Host with a user": ["GET / HTTP/1.1\r\nHost: me@box\r\n\r\n", 400],
  "bare LF": ["GET / HTTP/1.1\nHost: a\n\n", 400],
  "bare LF after a field": [`GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n`, 400],
  "bare CR in a field": [`GET / HTTP/1.1\r\n${HOST}X: a\rb\r\n\r\n`, 400],
  "NUL in a field": [`GET / HTTP/1.1\r\n${HOST}X: a\0b\r\n\r\n`, 400],
  "a folded line": [`GET / HTTP/1.1\r\n${HOST}X: a\r\n b\r\n\r\n`, 400],
  "space before the colon": ["GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400],
  "Content-Length and Transfer-Encoding": [
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  "Transfer-Encoding and Content-Length": [
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n`,
    400,
  ],
  "two equal Content-Lengths": [
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`,
    400,
  ],
  "a list as Content-Length": [`POST / HTTP/1.1\r\n${HOST}Content-Length: 3, 3\r\n\r\nabc`, 400],
  "a negative Content-Length": [`POST / HTTP/1.1\r\n${HOST}Content-Length: -3\r\n\r\nabc`, 400],
  "a signed Content-Length": [`POST / HTTP/1.1\r\n${HOST}Content-Length: +3\r\n\r\nabc`, 400],
  "a Content-Length past 64 bits": [
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 99999999999999999999\r\n\r\n`,
    400,
  ],
  "an unknown transfer coding": [
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    501,
  ],
  "a transfer coding that does not give the length": [
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: identity\r\n\r\n`,
    501,
  ],
  "Transfer-Encoding in HTTP/1.0": [
    `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  "an unknown method": [`FROB / HTTP/1.1\r\n${HOST}\r\n`, 400],
  "a method in lower case": [`get / HTTP/1.1\r\n${HOST}\r\n`, 400],
  "CONNECT": [`CONNECT a:1 HTTP/1.1\r\n${HOST}\r\n`, 501],
  "a target without a slash": [`GET foo HTTP/1.1\r\n${HOST}\r\n`, 400],
  "an asterisk for GET": [`GET * HTTP/1.1\r\n${HOST}\r\n`, 400],
  "another scheme": [`GET ftp://a/ HTTP/1.1\r\n${HOST}\r\n`, 400],
  "a user in the target": [`GET http://me@a/ HTTP/1.1\r\n${HOST}\r\n`, 400],
  "a control character in the target": [`GET /\x01 HTTP/1.1\r\n${HOST}\r\n`, 400],
  "bare UTF-8 in the target": [`GET /\xc3\xa4 HTTP/1.1\r\n${HOST}\r\n`, 400],
  "a tab after the method": [`GET\t/ HTTP/1.1\r\n${HOST}\r\n`, 400],
  "HTTP/1.2": [`GET / HTTP/1.2\r\n${HOST}\r\n`, 400],
  "HTTP/2.0 as the version of a request of HTTP/1": [`GET / HTTP/2.0\r\n${HOST}\r\n`, 505],
  "HTTP/2 without negotiation": ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
  "a TLS hello": ["\x16\x03\x01\x02\x00\x01\x00", 400],
  "a lot of junk": ["GG\r\n" + "a".repeat(5_000_000), 400],
  "CONNECT, and bytes for its destination": [
    `CONNECT a:1 HTTP/1.1\r\n${HOST}\r\n${"a".repeat(5_000_000)}`,
    501,
  ],
  "zeros": ["\0\0\0\0\r\n\r\n", 400],
  "junk after the request": [
    `GET / HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\nJUNK`,
    200,
  ],
  "the longest target": [
    `GET /${"a".repeat(16383)} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
    200,
  ],
  "a target over the limit": [`GET /${"a".repeat(16384)} HTTP/1.1\r\n${HOST}\r\n`, 414],
  "a target far over the limit": [`GET /${"a".repeat(200_000)} HTTP/1.1\r\n${HOST}\r\n`, 414],
  "a field over the limit": [`GET / HTTP/1.1\r\n${HOST}X: ${"a".repeat(200_000)}\r\n\r\n`, 431],
  "as many fields as permitted": [
    `GET / HTTP/1.1\r\n${HOST}Connection: close\r\n${"X: a\r\n".repeat(126)}\r\n`,
    200,
  ],
  "one field too many": [
    `GET / HTTP/1.1\r\n${HOST}Connection: close\r\n${"X: a\r\n".repeat(127)}\r\n`,
    431,
  ],
};

for (const [name, [request, status]] of Object.entries(TABLE)) {
  Deno.test(`listen: ${name} gets ${status}`, async () => {
    await withListener(() => text("fine"), async ({ port }) => {
      assertEquals(statusOf(await rawExchange(port, request)), status);
    });
  });
}

const CHUNKS: Record<string, string> = {
  "a chunk size that is not a number": "zz\r\nab\r\n0\r\n\r\n",
  "a chunk size past 64 bits": "ffffffffffffffffff\r\nab\r\n0\r\n\r\n",
  "a negative chunk size": "-2\r\nab\r\n0\r\n\r\n",
  "a chunk longer than its size": "1\r\nab\r\n0\r\n\r\n",
  "bare LF between chunks": "2\nab\n0\n\n",
};

for (const [name, body] of Object.entries(CHUNKS)) {
  Deno.test(`HttpRequest.body: ${name} makes reading fail, and no success is sent`, async () => {
    const seen: unknown[] = [];
    await withListener(async (request) => {
      try {
        for await (const _chunk of request.body);
      } catch (error) {
        seen.push(error);
        throw error;
      }
      return text("fine");
    }, async ({ port }) => {
      const head = `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;
      const status = statusOf(await rawExchange(port, head + body));
      assertEquals(status === 400 || status === 0, true, String(status));
    });
    assertEquals(seen.length, 1);
  });
}

Deno.test("HttpRequest.target: the absolute form is reduced to the path, and its authority replaces Host", async () => {
  const seen: HttpRequest[] = [];
  await withListener((request) => {
    seen.push(request);
    return text("");
  }, async ({ port }) => {
    for (const target of ["http://Box:8000/p?x=1", "HTTP://box", "https://[::1]:1?q"]) {
      const request = `GET ${target} HTTP/1.1\r\nHost: evil\r\nConnection: close\r\n\r\n`;
      assertEquals(statusOf(await rawExchange(port, request)), 200);
    }
  });
  assertEquals(seen.map((request) => [request.target, request.headers["host"]]), [
    ["/p?x=1", "Box:8000"],
    ["/", "box"],
    ["/?q", "[::1]:1"],
  ]);
});

Deno.test("HttpRequest.target: `*` reaches the handler with OPTIONS only", async () => {
  const asked: string[] = [];
  await withListener(({ method, target }) => {
    asked.push(`${method} ${target}`);
    return text("fine");
  }, async ({ port }) => {
    for (const [method, status] of [["OPTIONS", 200], ["GET", 400]] as const) {
      const request = `${method} * HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`;
      assertEquals(statusOf(await rawExchange(port, request)), status);
    }
  });
  assertEquals(asked, ["OPTIONS *"]);
});

Deno.test("listen: an Expect field other than 100-continue gets 417", async () => {
  await withListener(() => text("fine"), async ({ port }) => {
    for (
      const [value, status] of [["x", 417], ["100-continue, x", 417], [
        "100-Continue",
        200,
      ]] as const
    ) {
      const request = `GET / HTTP/1.1\r\n${HOST}Expect: ${value}\r\nConnection: close\r\n\r\n`;
      assertEquals([value, statusOf(await rawExchange(port, request))], [value, status]);
    }
  });
});

Deno.test("HttpRequest.headers: a field named __proto__ does no harm", async () => {
  let host: string | undefined;
  await withListener((request) => {
    host = request.headers["host"];
    return text("");
  }, async ({ port }) => {
    const fields = "__proto__: x\r\nconstructor: y\r\nConnection: close\r\n";
    assertEquals(statusOf(await rawExchange(port, `GET / HTTP/1.1\r\n${HOST}${fields}\r\n`)), 200);
  });
  assertEquals(host, "a");
});

Deno.test("listen: a client that closes its sending half still gets its reply", async () => {
  await withListener(async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return text("fine");
  }, async ({ port }) => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(new TextEncoder().encode(`GET / HTTP/1.1\r\n${HOST}\r\n`));
    await connection.closeWrite();
    assertEquals(statusOf(await new Response(connection.readable).text()), 200);
  });
});
