import type { HttpRequest } from "../../../src/http/exchange.ts";
import { assertEquals } from "../../assert.ts";
import { rawExchange, statusOf, text, withListener } from "../../listening.ts";

const HOST = "Host: a\r\n";

/** Requests, each sent alone on a connection of its own, and the status of the answer. */
const TABLE: Record<string, readonly [request: string, status: number]> = {
  "a good one": [`GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 200],
  "HTTP/1.0 without Host": ["GET / HTTP/1.0\r\n\r\n", 200],
  "empty lines before the request": [
    `\r\n\r\nGET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
    200,
  ],
  "an upgrade that we do not know": [
    `GET / HTTP/1.1\r\n${HOST}Connection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n`,
    200,
  ],
  "no Host": ["GET / HTTP/1.1\r\n\r\n", 400],
  "two Hosts": [`GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`, 400],
  "a Host that is none": ["GET / HTTP/1.1\r\nHost: a b/c\r\n\r\n", 400],
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
  "a coding that we do not know": [
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    501,
  ],
  "a coding that leaves the length open": [
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: identity\r\n\r\n`,
    501,
  ],
  "Transfer-Encoding in HTTP/1.0": [
    `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  "a method that we do not know": [`FROB / HTTP/1.1\r\n${HOST}\r\n`, 400],
  "a method in small letters": [`get / HTTP/1.1\r\n${HOST}\r\n`, 400],
  "CONNECT": [`CONNECT a:1 HTTP/1.1\r\n${HOST}\r\n`, 501],
  "a target without a slash": [`GET foo HTTP/1.1\r\n${HOST}\r\n`, 400],
  "an asterisk for GET": [`GET * HTTP/1.1\r\n${HOST}\r\n`, 400],
  "another scheme": [`GET ftp://a/ HTTP/1.1\r\n${HOST}\r\n`, 400],
  "a user in the target": [`GET http://me@a/ HTTP/1.1\r\n${HOST}\r\n`, 400],
  "a control character in the target": [`GET /\x01 HTTP/1.1\r\n${HOST}\r\n`, 400],
  "bare UTF-8 in the target": [`GET /\xc3\xa4 HTTP/1.1\r\n${HOST}\r\n`, 400],
  "a tab after the method": [`GET\t/ HTTP/1.1\r\n${HOST}\r\n`, 400],
  "HTTP/1.2": [`GET / HTTP/1.2\r\n${HOST}\r\n`, 400],
  "HTTP/2.0 in HTTP/1's clothes": [`GET / HTTP/2.0\r\n${HOST}\r\n`, 505],
  "HTTP/2 without negotiation": ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
  "a TLS hello": ["\x16\x03\x01\x02\x00\x01\x00", 400],
  "junk that goes on": ["GG\r\n" + "a".repeat(5_000_000), 400],
  "CONNECT, and bytes for somebody behind us": [
    `CONNECT a:1 HTTP/1.1\r\n${HOST}\r\n${"a".repeat(5_000_000)}`,
    501,
  ],
  "zeros": ["\0\0\0\0\r\n\r\n", 400],
  "something behind the request": [
    `GET / HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\nJUNK`,
    200,
  ],
  "the longest target": [
    `GET /${"a".repeat(16383)} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
    200,
  ],
  "a target past the limit": [`GET /${"a".repeat(16384)} HTTP/1.1\r\n${HOST}\r\n`, 414],
  "a target past all limits": [`GET /${"a".repeat(200_000)} HTTP/1.1\r\n${HOST}\r\n`, 414],
  "a field past the limit": [`GET / HTTP/1.1\r\n${HOST}X: ${"a".repeat(200_000)}\r\n\r\n`, 431],
  "as many fields as may be": [
    `GET / HTTP/1.1\r\n${HOST}Connection: close\r\n${"X: a\r\n".repeat(126)}\r\n`,
    200,
  ],
  "one field too many": [
    `GET / HTTP/1.1\r\n${HOST}Connection: close\r\n${"X: a\r\n".repeat(127)}\r\n`,
    431,
  ],
};

for (const [name, [request, status]] of Object.entries(TABLE)) {
  Deno.test(`${name}: ${status}`, async () => {
    await withListener(() => text("fine"), async ({ port }) => {
      assertEquals(statusOf(await rawExchange(port, request)), status);
    });
  });
}

const CHUNKS: Record<string, string> = {
  "a chunk size that is no number": "zz\r\nab\r\n0\r\n\r\n",
  "a chunk size past 64 bits": "ffffffffffffffffff\r\nab\r\n0\r\n\r\n",
  "a negative chunk size": "-2\r\nab\r\n0\r\n\r\n",
  "a chunk longer than it says": "1\r\nab\r\n0\r\n\r\n",
  "bare LF between chunks": "2\nab\n0\n\n",
};

for (const [name, body] of Object.entries(CHUNKS)) {
  Deno.test(`${name}: the handler's read fails and no reply of success is sent`, async () => {
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

Deno.test("a target in absolute form is reduced, and its authority stands for Host", async () => {
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

Deno.test("an asterisk is a target with OPTIONS only, and is the handler's to answer", async () => {
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

Deno.test("an expectation that cannot be met is refused", async () => {
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

Deno.test("a field that is called __proto__ is a field", async () => {
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

Deno.test("a client that closes its sending half still gets its reply", async () => {
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
