import type { HttpRequest } from "../../../src/http/exchange.ts";
import { type FinishedExchange, listen } from "../../../src/http/listener.ts";
import { Failure } from "../../../src/failure.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { text, withListener } from "../../listening.ts";

async function bodyText(request: HttpRequest): Promise<string> {
  const decoder = new TextDecoder();
  let body = "";
  for await (const chunk of request.body) body += decoder.decode(chunk, { stream: true });
  return body;
}

Deno.test("listen: a reply in memory is sent with its Content-Length", async () => {
  await withListener(() => text("hello"), async ({ port }) => {
    const base = `http://127.0.0.1:${port}`;
    const response = await fetch(base);
    assertEquals(response.headers.get("content-length"), "5");
    assertEquals(await response.text(), "hello");
  });
});

Deno.test("listen: a request has method, target, headers and the client's address", async () => {
  let seen: HttpRequest | null = null;
  await withListener((request) => {
    seen = request;
    return text("");
  }, async ({ port }) => {
    const base = `http://127.0.0.1:${port}`;
    await (await fetch(`${base}/a%20b?x=1`, { headers: { "X-Thing": "one" } })).text();
  });
  const request = seen as unknown as HttpRequest;
  assertEquals(request.method, "GET");
  assertEquals(request.target, "/a%20b?x=1");
  assertEquals(request.headers["x-thing"], "one");
  assertEquals(request.connection.remoteAddress, "127.0.0.1");
  assertEquals(request.connection.secure, false);
});

Deno.test("listen: the body of a request arrives complete", async () => {
  const body = "x".repeat(300_000);
  await withListener(
    async (request) => text(String((await bodyText(request)).length)),
    async ({ port }) => {
      const base = `http://127.0.0.1:${port}`;
      const response = await fetch(base, { method: "POST", body });
      assertEquals(await response.text(), "300000");
    },
  );
});

Deno.test("listen: an error of the handler is reported, and the client gets a 500 without details", async () => {
  const failures: unknown[] = [];
  await withListener(
    () => {
      throw new Error("secret");
    },
    async ({ port }) => {
      const base = `http://127.0.0.1:${port}`;
      const response = await fetch(base);
      assertEquals(response.status, 500);
      assert(!(await response.text()).includes("secret"));
    },
    { events: { failed: (error) => void failures.push(error) } },
  );
  assertEquals(failures.length, 1);
});

Deno.test("listen: a finished exchange is reported with the number of bytes sent", async () => {
  const finished: FinishedExchange[] = [];
  await withListener(
    () => text("hello"),
    async ({ port }) => {
      const base = `http://127.0.0.1:${port}`;
      await (await fetch(base)).text();
    },
    { events: { finished: (exchange) => void finished.push(exchange) } },
  );
  assertEquals(finished.map((exchange) => [exchange.bytesSent, exchange.aborted]), [[5, false]]);
});

Deno.test("listen: a port in use is a failure that says so", async () => {
  await withListener(() => text(""), async (listener) => {
    const configuration = { address: "127.0.0.1", port: listener.port, ipv6: false, tls: null };
    await assertRejects(() => listen(configuration, () => text("")), Failure, "in use");
  });
});

Deno.test("listen: 10,000 pipelined requests are all answered", async () => {
  const ahead = 10_000;
  const sent = Promise.withResolvers<void>();
  let begun = 0;
  await withListener(async () => {
    // The first reply is sent only after all requests were sent.
    await sent.promise;
    begun++;
    return text("x");
  }, async ({ port }) => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const requests = new TextEncoder().encode("GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(ahead));
    for (let at = 0; at < requests.length;) at += await connection.write(requests.subarray(at));
    sent.resolve();
    let received = "";
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(65_536);
    while (begun < ahead || !received.endsWith("x")) {
      const count = await connection.read(buffer);
      if (count === null) break;
      received += decoder.decode(buffer.subarray(0, count));
      if (received.split("HTTP/1.1 200").length > ahead) break;
    }
    assertEquals(begun, ahead);
  });
});
