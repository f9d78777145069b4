/** Servers on loopback for tests of peers: pacserve, and others that misbehave. */

import http from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { HttpRequest } from "../../src/http/exchange.ts";
import { parseTarget } from "../../src/http/target.ts";
import { isLoopback } from "../../src/http/address.ts";
import type { PeersConfiguration } from "../../src/peers/configuration.ts";
import type { OwnNetwork, OwnServer } from "../../src/peers/own_server.ts";
import { Peers } from "../../src/peers/peers.ts";
import type { Listing } from "../../src/peers/protocol.ts";
import { makeRequest } from "../request.ts";

/** A server of the test. */
export interface TestServer extends AsyncDisposable {
  readonly base: string;
  readonly port: number;
  /** The requests that it got: `POST /`, `HEAD /pkg/foo`. */
  readonly requests: string[];
  /** Number of bytes that it received and sent on all connections. */
  readonly traffic: () => number;
}

/** A server with the real code of peers. */
export interface TestPeer extends TestServer {
  readonly peers: Peers;
  /** The files that its clients get. */
  readonly files: Files;
  readonly log: string[];
  /** Does what a new configuration does: the index is built again. */
  readonly reload: () => void;
}

/** The server paths (`pkg/foo`) that are files. Clients get 404 for others. */
export interface Files {
  has: (path: string) => boolean;
  refusal?: number;
}

/** The address that a server listens on: by default loopback with any free port. */
export interface Where {
  readonly hostname?: string;
  readonly port?: number;
}

/** Settings of a server in a test that replace its defaults. */
export interface Own
  extends
    Partial<Pick<OwnServer["files"], "has" | "listing">>,
    Partial<OwnServer["admission"]>,
    Partial<OwnNetwork> {
  /** The published index. */
  readonly index?: {
    readonly names: () => Promise<readonly string[]>;
    readonly isGrowing?: () => boolean;
    readonly directories: readonly string[];
  };
  /** A function that also gets the lines of the log. */
  readonly log?: (sentence: string) => void;
}

/** Waits until `condition` is true; fails after `seconds`. */
export async function until(condition: () => boolean, seconds = 10): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`never came true: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Starts an HTTP server. */
export async function serve(
  answer: (request: http.IncomingMessage, response: http.ServerResponse) => void,
  { hostname = "127.0.0.1", port = 0 }: Where = {},
): Promise<TestServer> {
  const requests: string[] = [];
  const server = http.createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  const sockets: Socket[] = [];
  server.on("connection", (socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(port, hostname, resolve));
  const { port: bound } = server.address() as AddressInfo;
  return {
    base: `http://127.0.0.1:${bound}/`,
    port: bound,
    requests,
    traffic: () => sockets.reduce((sum, one) => sum + one.bytesRead + one.bytesWritten, 0),
    async [Symbol.asyncDispose](): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * Starts a server that peers cannot distinguish from an original: it has these files, and does not send
 * our header fields.
 */
export function serveOriginal(files: readonly string[], delay = 0): Promise<TestServer> {
  return serve(async (request, response) => {
    const body = await textOf(request);
    if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
    if (request.method === "HEAD") {
      const path = parseTarget(request.url ?? "")?.segments.join("/") ?? "";
      response.writeHead(files.includes(path) ? 200 : 404).end();
      return;
    }
    const message = JSON.parse(new URLSearchParams(body).get("json") ?? "null");
    const answer = message.type === "file check"
      ? Object.fromEntries(
        message.paths.filter((path: string) => files.includes(path)).map((path: string) => [
          path,
          path,
        ]),
      )
      : true;
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(answer));
  });
}

/** Starts a server that accepts connections but never answers. */
export function serveSilence(): { readonly base: string } & Disposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Deno.Conn[] = [];
  (async () => {
    for await (const connection of listener) connections.push(connection);
  })();
  return {
    base: `http://127.0.0.1:${listener.addr.port}/`,
    [Symbol.dispose](): void {
      listener.close();
      for (const connection of connections) connection.close();
    },
  };
}

/** Starts a server with the real code of peers. */
export async function servePeer(
  files: readonly string[],
  configuration: Partial<PeersConfiguration> = {},
  own: Own = {},
  where: Where & { readonly files?: Files } = {},
): Promise<TestPeer> {
  const has: Files = where.files ?? new Set(files);
  const log: string[] = [];
  const server: TestServer = await serve(
    // A client that leaves before the end of its message gets no answer.
    (request, response) => void reply(request, response).catch(() => response.destroy()),
    where,
  );
  const write = own.log ?? ((sentence: string): void => void log.push(sentence));
  const peers: Peers = new Peers({
    program: "pacserve",
    staticPeers: [],
    multicast: null,
    mdns: null,
    // This is long enough for a machine that is busy with other tests.
    searchTimeout: 2000,
    defaultPort: 15678,
    ipv6: false,
    ...configuration,
  }, {
    scheme: "http",
    indexed: own.index?.directories ?? null,
    network: {
      networkOf: () => null,
      reaches: () => true,
      isOwn: isLoopback,
      ...own,
    },
    log: { warn: write, info: write, debug: write },
  });
  const served: OwnServer = {
    relays: true,
    files: {
      has: own.has ?? ((segments): boolean => has.has(segments.join("/"))),
      listing: own.listing ?? ((segments) => Promise.resolve(listingOf(files, segments))),
      packageNames: async () => ({
        names: await own.index?.names() ?? [],
        isGrowing: own.index?.isGrowing?.() ?? false,
      }),
    },
    admission: { allowsPeer: own.allowsPeer ?? (() => true) },
  };
  peers.serve(served);
  peers.start(server.port);

  async function reply(
    incoming: http.IncomingMessage,
    outgoing: http.ServerResponse,
  ): Promise<void> {
    const request = exchangeOf(incoming);
    if (request.method === "POST") {
      const { status, headers, body } = await peers.answer(request);
      outgoing.writeHead(status, headers as http.OutgoingHttpHeaders).end(body as Uint8Array);
      return;
    }
    if (peers.isIndexRequest(request)) {
      const { status, headers, body } = peers.answerIndex(request);
      outgoing.writeHead(status, headers as http.OutgoingHttpHeaders).end(body as Uint8Array);
      return;
    }
    const path = parseTarget(request.target)?.segments.join("/") ?? "";
    const status = has.has(path) ? 200 : has.refusal ?? 404;
    outgoing.writeHead(status, peers.replyHeaders() as Record<string, string>);
    outgoing.end(incoming.method === "HEAD" ? undefined : path);
  }

  return {
    ...server,
    peers,
    files: has,
    log,
    reload: () => peers.serve(served),
    async [Symbol.asyncDispose](): Promise<void> {
      peers.stop();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Sends a message as another server would. Returns the status and the body of the answer. */
export async function post(server: TestServer, body: string): Promise<[number, string]> {
  const response = await fetch(server.base, {
    method: "POST",
    body,
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
  });
  return [response.status, await response.text()];
}

/** Finds a file for a client on the same host. */
export async function find(peer: TestPeer, path: string): Promise<string | null> {
  return (await peer.peers.finder.find(path.split("/"), makeRequest()))?.url ?? null;
}

function exchangeOf(incoming: http.IncomingMessage): HttpRequest {
  const { socket } = incoming;
  return {
    method: incoming.method ?? "",
    target: incoming.url ?? "",
    headers: incoming.headers as Record<string, string>,
    body: incoming,
    connection: {
      remoteAddress: socket.remoteAddress ?? "",
      remotePort: socket.remotePort ?? 0,
      localAddress: socket.localAddress ?? "",
      localPort: socket.localPort ?? 0,
      secure: false,
      clientCertificate: null,
    },
    signal: new AbortController().signal,
  };
}

/** Returns the body of a request. */
export async function textOf(request: http.IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text;
}

function listingOf(files: readonly string[], segments: readonly string[]): Listing | null {
  const prefix = segments.map((segment) => segment + "/").join("");
  const names = files.filter((file) => file.startsWith(prefix));
  if (names.length === 0) return null;
  return new Map(names.map((file) => {
    const name = file.slice(prefix.length);
    return [name, [{ href: "/" + file, size: 1, mtime: 2, dir: false }]];
  }));
}

/** Returns if the peer with this URL has a file of this name in `pkg`, according to its index. */
export function verdictOf({ peers }: Pick<TestPeer, "peers">, url: string, name: string): string {
  const peer = peers.registry.get(url);
  return peer === undefined ? "unknown" : peers.indexes.verdict(peer, name);
}
