/**
 * A peer that confirms every file, and ends before a client can download it: it closes its port, answers,
 * and ends.
 *
 *     dying_peer.ts POST    ends after its answer to a file check
 *     dying_peer.ts HEAD    ends after its answer to a HEAD for the file
 */

/** The fields of a request that this server needs. */
interface Request {
  readonly method: string;
  readonly body: string;
}

const last = Deno.args[0];

const listener = Deno.listen({ port: 15678 });
console.log("listening");
for await (const connection of listener) {
  void serve(connection);
}

async function serve(connection: Deno.Conn): Promise<void> {
  for await (const { method, body } of requests(connection)) {
    const answer = method === "HEAD" ? "" : answerTo(body);
    if (answer === "true" || method !== last) {
      await reply(connection, answer);
      continue;
    }
    listener.close();
    await reply(connection, answer);
    console.log("said yes");
    Deno.exit(0);
  }
}

function answerTo(body: string): string {
  const message = JSON.parse(new URLSearchParams(body).get("json") ?? "null") as {
    readonly type: string;
    readonly paths?: readonly string[];
  };
  if (message.type !== "file check") return "true";
  return JSON.stringify(Object.fromEntries((message.paths ?? []).map((path) => [path, path])));
}

/** Yields the requests on a connection. Each has a head, and a body with the length in the head. */
async function* requests(connection: Deno.Conn): AsyncGenerator<Request> {
  const buffer = new Uint8Array(65536);
  let text = "";
  while (true) {
    const end = text.indexOf("\r\n\r\n");
    const length = Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? 0);
    if (end >= 0 && text.length >= end + 4 + length) {
      const method = text.slice(0, text.indexOf(" "));
      yield { method, body: text.slice(end + 4, end + 4 + length) };
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
