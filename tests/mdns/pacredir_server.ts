/**
 * A web server that behaves like darkhttpd on a pacredir host, with pacman's cache. It serves files at `/pkg/`,
 * and a POST makes it hang. It prints the requests that it gets.
 */

import { createReadStream, statSync } from "node:fs";
import http from "node:http";

const CACHE = "/var/cache/pacman/pkg/";

http.createServer((request, response) => {
  const path = decodeURIComponent(request.url ?? "");
  console.log(`${request.method} ${path}`);
  if (request.method === "POST") return;
  const name = /^\/pkg\/([^/]+)$/.exec(path)?.[1];
  try {
    if (name === undefined) throw new Error("no file");
    const { size } = statSync(CACHE + name);
    response.writeHead(200, { "Content-Length": size });
    if (request.method === "HEAD") response.end();
    else createReadStream(CACHE + name).pipe(response);
  } catch {
    response.writeHead(404, { "Content-Length": 0 }).end();
  }
}).listen(7078, "::", () => console.log("listening"));
