/**
 * A peer or mirror that has all files of a directory, and sends each package with one fault:
 *
 *     hostile_server.ts <port> <directory> <name of the fault in tests/relay/hostile_source.ts>
 *
 * It answers HEAD and the requests of peers honestly, and prints a line for each package that is requested.
 * It has no databases and no signatures.
 */

import { faults, head, readRequest } from "../relay/hostile_source.ts";

const [port, directory = "", fault] = Deno.args;
const behaviour = faults.find(([name]) => name === fault)?.[1];
if (behaviour === undefined) throw new Error(`there is no fault ${fault}`);

if (behaviour === null) {
  console.log("listening");
  await new Promise(() => {});
} else {
  const listener = Deno.listen({ port: Number(port) });
  console.log("listening");
  for await (const connection of listener) {
    void serve(connection).catch(() => {}).finally(() => {
      try {
        connection.close();
      } catch {
        // The connection is already closed.
      }
    });
  }
}

async function serve(connection: Deno.TcpConn): Promise<void> {
  while (true) {
    const asked = await readRequest(connection);
    if (asked === null) return;
    const name = decodeURIComponent(asked.target.split("/").at(-1) ?? "");
    if (asked.method === "POST") {
      await say(connection, 200, answerTo(asked.body));
      console.log("greeted");
    } else if (!/\.pkg\.tar\.zst$/.test(name)) {
      await say(connection, 404, "");
    } else {
      const path = `${directory}/${name}`;
      if (asked.method === "HEAD") {
        await head(connection, { ...asked, range: null }, (await Deno.stat(path)).size);
      } else {
        const file = await Deno.readFile(path);
        console.log(`asked for ${name}`);
        return await behaviour!(connection, asked, file);
      }
    }
  }
}

function answerTo(body: string): string {
  const message = JSON.parse(new URLSearchParams(body).get("json") ?? "null") as {
    readonly type: string;
    readonly paths?: readonly string[];
  };
  if (message.type !== "file check") return "true";
  const packages = (message.paths ?? []).filter((path) => path.endsWith(".pkg.tar.zst"));
  return JSON.stringify(Object.fromEntries(packages.map((path) => [path, path])));
}

async function say(connection: Deno.TcpConn, status: number, body: string): Promise<void> {
  const lines = `HTTP/1.1 ${status} X\r\nServer: ThreadedServers.Pacserve/2013.05.12\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  await connection.write(new TextEncoder().encode(lines));
}
