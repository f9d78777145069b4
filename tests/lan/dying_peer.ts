/**
 * A server of the wire protocol that says yes to whatever file it is asked for and is gone before
 * anybody can come for it: it stops listening, then answers, then ends.
 */

/** A request as far as this server needs it. */
interface Request {
  readonly body: string;
}

const listener = Deno.listen({ port: 15678 });
console.log("listening");
for await (const connection of listener) {
  void serve(connection);
}

async function serve(connection: Deno.Conn): Promise<void> {
  for await (const { body } of requests(connection)) {
    const message = JSON.parse(new URLSearchParams(body).get("json") ?? "null") as {
      readonly type: string;
      readonly paths?: readonly string[];
    };
    if (message.type !== "file check") {
      await reply(connection, "true");
      continue;
    }
    listener.close();
    const found = Object.fromEntries((message.paths ?? []).map((path) => [path, path]));
    await reply(connection, JSON.stringify(found));
    console.log("said yes");
    Deno.exit(0);
  }
}

/** The requests that come on a connection: a head, and as many bytes as its length says. */
async function* requests(connection: Deno.Conn): AsyncGenerator<Request> {
  const buffer = new Uint8Array(65536);
  let text = "";
  while (true) {
    const end = text.indexOf("\r\n\r\n");
    const length = Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? 0);
    if (end >= 0 && text.length >= end + 4 + length) {
      yield { body: text.slice(end + 4, end + 4 + length) };
      text = text.slice(end + 4 + length);
      continue;
    }
    const read = await connection.read(buffer);
    if (read === null) return;
    text += new TextDecoder("latin1").decode(buffer.subarray(0, read));
  }
}

async function reply(connection: Deno.Conn, body: string): Promise<void> {
  const head = "HTTP/1.1 200 OK\r\nServer: ThreadedServers.Pacserve/2013.05.12\r\n" +
    `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  const writer = connection.writable.getWriter();
  await writer.write(new TextEncoder().encode(head + body));
  writer.releaseLock();
}
