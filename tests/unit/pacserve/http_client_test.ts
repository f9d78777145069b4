import { FileClient } from "../../../src/pacserve/relay/http_client.ts";
import { assertEquals } from "../../assert.ts";
import { latin1, until, writeAll } from "../../listening.ts";
import { readRequest } from "../../relay/hostile_source.ts";

/** Starts a server that answers with `answer`, and counts the connections that were opened and are open. */
function serve(answer: (method: string, conn: Deno.TcpConn) => Promise<void>): {
  readonly url: URL;
  readonly counts: { opened: number; open: number };
} & Disposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const counts = { opened: 0, open: 0 };
  const connections: Deno.TcpConn[] = [];
  const take = async (conn: Deno.TcpConn): Promise<void> => {
    counts.opened++;
    counts.open++;
    connections.push(conn);
    try {
      for (let asked = await readRequest(conn); asked !== null; asked = await readRequest(conn)) {
        await answer(asked.method, conn);
      }
    } catch {
      // The client has closed the connection.
    }
    counts.open--;
  };
  (async () => {
    for await (const conn of listener) void take(conn);
  })();
  return {
    url: new URL(`http://127.0.0.1:${listener.addr.port}/file`),
    counts,
    [Symbol.dispose](): void {
      listener.close();
      for (const conn of connections) conn.close();
    },
  };
}

async function get(client: FileClient, url: URL): Promise<string> {
  const { signal } = new AbortController();
  const answer = await client.request({ method: "GET", url, headers: {}, signal });
  const buffer = new Uint8Array(100);
  let text = "";
  for (let count = await answer.read(buffer); count !== null; count = await answer.read(buffer)) {
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
  return text;
}

const answerOf = (body: string): Uint8Array =>
  latin1(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);

Deno.test("FileClient: a connection is used again after its answer has been read", async () => {
  using server = serve((_method, conn) => writeAll(conn, answerOf("right")));
  const client = new FileClient();
  for (let time = 0; time < 3; time++) assertEquals(await get(client, server.url), "right");
  assertEquals(server.counts.opened, 1);
  client.close();
});

Deno.test("FileClient: bytes after the end of an answer are never used as the next answer", async () => {
  using server = serve(async (method, conn) => {
    if (method === "GET") return await writeAll(conn, answerOf("right"));
    await writeAll(conn, latin1("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"));
    // Send a body after HEAD, where none is allowed. It looks like an answer.
    await new Promise((resolve) => setTimeout(resolve, 10));
    await writeAll(conn, answerOf("wrong"));
  });
  const client = new FileClient();
  const { signal } = new AbortController();
  (await client.request({ method: "HEAD", url: server.url, headers: {}, signal })).close();
  await until(() => server.counts.open === 0, "the connection is not kept");
  assertEquals(await get(client, server.url), "right");
  assertEquals(server.counts.opened, 2);
  client.close();
});

Deno.test("FileClient: an idle connection that the server has closed is replaced", async () => {
  using server = serve(async (_method, conn) => {
    await writeAll(conn, answerOf("right"));
    await conn.closeWrite();
  });
  const client = new FileClient();
  for (let time = 0; time < 3; time++) assertEquals(await get(client, server.url), "right");
  assertEquals(server.counts.opened, 3);
  client.close();
});
