/**
 * A mirror (at `/mirror/`) and a peer in one program, for a test on hosts. It has all files whose names contain
 * `far` or `has`. On SIGUSR1 it prints the number of HEAD requests to each of the two.
 */

import { textOf } from "./lan.ts";
import http from "node:http";

const heads = { mirror: 0, peer: 0 };

http.createServer((request, response) => void answer(request, response)).listen(8080, () => {
  console.log("listening");
});
Deno.addSignalListener("SIGUSR1", () => console.log(JSON.stringify(heads)));

async function answer(
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  const { method, url = "" } = request;
  if (method === "HEAD") {
    heads[url.startsWith("/mirror/") ? "mirror" : "peer"]++;
    response.writeHead(/far|has/.test(url) ? 200 : 404).end();
    return;
  }
  const { paths } = JSON.parse(new URLSearchParams(await textOf(request)).get("json") ?? "{}");
  const found = (paths ?? []).filter((path: string) => path.includes("far"));
  response.end(JSON.stringify(Object.fromEntries(found.map((path: string) => [path, path]))));
}
