/** The listener: raw bytes are sent to the real one, on loopback. */

import fc from "fast-check";
import { DEFAULT_LIMITS } from "../../src/http/limits.ts";
import { listen, type Listener } from "../../src/http/listener.ts";
import { assert, assertEquals } from "../../tests/assert.ts";
import { readUntil, statusOf, text, writeAll } from "../../tests/listening.ts";
import { bytesOf, wordText } from "../bytes.ts";
import { targetWith } from "../target.ts";

const bytes = wordText([
  "GET ",
  "POST ",
  "PRI * HTTP/2.0",
  "OPTIONS *",
  "/",
  "/a?b",
  "http://h/",
  " HTTP/1.1",
  " HTTP/1.0",
  " HTTP/9.9",
  "\r\n",
  "\r\n\r\n",
  "\n",
  "Host: 127.0.0.1\r\n",
  "Host:",
  "Content-Length: 3\r\n",
  "Content-Length: -1\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Expect: 100-continue\r\n",
  "Connection: keep-alive, Upgrade\r\nUpgrade: h2c\r\n",
  "3\r\nabc\r\n",
  "0\r\n\r\n",
  "ffffffffffffffff\r\n",
  "\0",
  "\x16\x03\x01\x02\x00\x01",
  "X: " + "x".repeat(5000) + "\r\n",
]).map((text) => text.replace(/[^\0-\xff]/g, "\xff"));

interface Served {
  readonly listener: Listener;
  readonly failures: string[];
}

const served = {
  async open(): Promise<Served> {
    const failures: string[] = [];
    const limits = { ...DEFAULT_LIMITS, headerTimeout: 200, idleTimeout: 200, stallTimeout: 200 };
    const listener = await listen(
      { address: "127.0.0.1", port: 0, ipv6: false, tls: null },
      (request) => {
        if (!request.target.startsWith("/")) failures.push(`the target ${request.target}`);
        if (!/^[A-Z-]+$/.test(request.method)) failures.push(`the method ${request.method}`);
        return text("fine");
      },
      { failed: (error) => void failures.push(String(error)) },
      { ...limits, drainTimeout: 200 },
    );
    return { listener, failures };
  },
  close: async ({ listener }: Served): Promise<void> => await listener.close(0),
};

/** For any bytes, the reply is HTTP or nothing, the connection ends, and the next client is served. */
export const listener = targetWith(
  "listener",
  served,
  fc.record({
    bytes,
    closes: fc.nat(9).map((chance) => chance > 0),
    pieces: fc.integer({ min: 1, max: 3 }),
  }),
  async ({ bytes, closes, pieces }, { listener: { port }, failures }) => {
    {
      using connection = await Deno.connect({ hostname: "127.0.0.1", port });
      const all = bytesOf(bytes);
      const size = Math.max(1, Math.ceil(all.length / pieces));
      const sending = (async () => {
        for (let at = 0; at < all.length; at += size) {
          await writeAll(connection, all.subarray(at, at + size));
        }
        if (closes) await connection.closeWrite();
      })().catch(() => {
        // The server may have closed the connection. The reply that it sent before is read below.
      });
      // If we keep the connection open, the server may still wait for the rest of the request.
      const reply = await readUntil(
        connection,
        (text) => !closes && text.length > 0 || text.length > 1e6,
      );
      await sending;
      assert(reply === "" || /^HTTP\/1\.1 [1-5]\d\d /.test(reply), reply.slice(0, 200));
      assert(statusOf(reply) !== 500, "an internal error");
    }
    assertEquals(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "fine");
    assertEquals(failures, []);
  },
);
