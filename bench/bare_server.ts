/**
 * A minimal file server on Deno: `node:http` in a worker, without code of this project. Our own server
 * cannot be faster than this.
 *
 * Usage: `bare_server.ts <port> <directory> [<certificate> <key>]`
 */

/** The worker's code. Like our own workers, it imports nothing but modules of the runtime. */
const WORKER = `
import http from "node:http";
const { port, directory, cert, key } = await new Promise((resolve) => {
  self.onmessage = ({ data }) => resolve(data);
});
const kept = new Map();
const written = (response, bytes) => new Promise((resolve) => response.write(bytes, resolve));
async function answer({ url }, response) {
  const small = kept.get(url);
  if (small !== undefined) return response.writeHead(200, { "Content-Length": small.length }).end(small);
  using file = Deno.openSync(directory + url);
  const { size } = file.statSync();
  if (size <= 1048576) {
    kept.set(url, Deno.readFileSync(directory + url));
    return answer({ url }, response);
  }
  response.writeHead(200, { "Content-Length": size });
  const piece = new Uint8Array(1048576);
  for (let left = size; left > 0;) {
    const length = file.readSync(piece) ?? 0;
    await written(response, piece.subarray(0, length));
    left -= length;
  }
  response.end();
}
const server = cert === undefined
  ? http.createServer(answer)
  : (await import("node:https")).default.createServer({ cert, key }, answer);
server.listen(port, "127.0.0.1");
`;

const [port, directory = "", certificate, key] = Deno.args;
const worker = new Worker(`data:text/javascript,${encodeURIComponent(WORKER)}`, { type: "module" });
worker.postMessage({
  port: Number(port),
  directory,
  ...certificate === undefined || key === undefined
    ? {}
    : { cert: Deno.readTextFileSync(certificate), key: Deno.readTextFileSync(key) },
});
