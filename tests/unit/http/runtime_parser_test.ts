/**
 * Demonstrates a fault of the runtime, without code of this project: after a parse error on one
 * connection, `node:http` of Deno 2.9.6 gives the parser to the next connection, and still feeds it the
 * bytes of the first one.
 *
 * If this test fails with a new Deno because the list has become empty, the fault is fixed, and
 * `stopParsing` in `src/http/service.ts` can be removed. If there is a new name in the list, the runtime
 * has another fault of this kind: make sure that the tests in `two_clients_test.ts` notice it too.
 */

import http from "node:http";
import net, { type AddressInfo, type Socket } from "node:net";
import { assertEquals } from "../../assert.ts";
import { Client, ENDINGS, twoClients, UNTOUCHED } from "./two_clients.ts";

/** Those of the {@link ENDINGS} that need a special handler, and are therefore left out here. */
const OTHERS = ["a head that never ends", "a handler that fails"];

const FAULTY = [
  "junk",
  "junk, and its end later",
  "zeros",
  "a target far over the limit",
  "a field far over the limit",
  "HTTP/2 without negotiation",
  "Content-Length and Transfer-Encoding",
  "two Content-Lengths",
  "bare LF",
  "junk after a request",
  "junk after a reply",
  "junk while a reply is awaited",
  "an unknown transfer coding",
  "a chunk size that is not a number",
  "a chunk size that is not a number, in a body that the handler does not read",
];

Deno.test("node:http: after a parse error the runtime mixes the bytes of two clients", async () => {
  const faulty: string[] = [];
  for (const [name, ending] of Object.entries(ENDINGS)) {
    if (OTHERS.includes(name)) continue;
    const { port, close } = await bareServer();
    try {
      const connect = (): Client => new Client(net.connect({ host: "127.0.0.1", port }));
      const { body } = await twoClients(connect, ending);
      if (body !== UNTOUCHED) faulty.push(name);
    } finally {
      close();
    }
  }
  assertEquals(faulty, FAULTY);
});

async function bareServer(): Promise<{ port: number; close: () => void }> {
  const server = http.createServer((request, response) => {
    const body = `${request.method} ${request.url} ${request.headers["x-words"] ?? ""}`;
    response.end(body);
  });
  const refuse = (socket: Socket): void => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  };
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.on("clientError", (_error, socket: Socket) => refuse(socket));
  server.on("connect", (_request, socket: Socket) => refuse(socket));
  server.on("upgrade", (_request, socket: Socket) => refuse(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
