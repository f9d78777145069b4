/**
 * A fault of the runtime by itself, without any code of ours: `node:http` of Deno 2.9.6 gives the parser
 * of a connection that sent nonsense to the next connection, and still feeds it the first one's bytes.
 *
 * Where a test fails with a new Deno: if the list has become empty, the fault is mended, and
 * `stopParsing` in `src/http/service.ts` can go. If there is another name in it, the runtime has another
 * fault of the kind: see that the tests in `two_clients_test.ts` notice it too.
 */

import http from "node:http";
import net, { type AddressInfo, type Socket } from "node:net";
import { assertEquals } from "../../assert.ts";
import { Client, ENDINGS, twoClients, UNTOUCHED } from "./two_clients.ts";

/** These, of {@link ENDINGS}, need a handler of their own. */
const OTHERS = ["a head that never ends", "a handler that fails"];

const FAULTY = [
  "junk",
  "junk, and its end later",
  "zeros",
  "a target past all limits",
  "a field past all limits",
  "HTTP/2 without negotiation",
  "Content-Length and Transfer-Encoding",
  "two Content-Lengths",
  "bare LF",
  "junk behind a request",
  "junk after a reply",
  "junk while a reply is awaited",
  "a coding that we do not know",
  "a chunk size that is no number",
  "a chunk size that is no number, of a body that nobody reads",
];

Deno.test("bare node:http mixes the bytes of two clients after a parse error", async () => {
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
