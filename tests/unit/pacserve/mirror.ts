/** Real mirrors on the loopback interface. */

import { FileClient } from "../../../src/pacserve/relay/http_client.ts";
import { type Mirror, mirrorsOf, Self } from "../../../src/pacserve/servers.ts";

/** The client for requests to mirrors. Its connections are closed when a mirror ends. */
export const client = new FileClient();

/** A running mirror, until it is disposed of. */
export interface TestMirror extends AsyncDisposable {
  /** `http://127.0.0.1:12345/core` */
  readonly server: string;
  readonly origin: string;
  /** The received requests: `HEAD /core/core.db`. */
  readonly asked: readonly string[];
  readonly headers: readonly Headers[];
}

/** Starts a mirror that answers with `answer`. */
export function startMirror(
  answer: (request: Request) => Response | Promise<Response>,
): TestMirror {
  const asked: string[] = [];
  const headers: Headers[] = [];
  function handle(request: Request): Response | Promise<Response> {
    const { pathname, search } = new URL(request.url);
    asked.push(`${request.method} ${pathname}${search}`);
    headers.push(request.headers);
    return answer(request);
  }
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen(): void {} }, handle);
  const origin = `http://127.0.0.1:${server.addr.port}`;
  return {
    server: `${origin}/core`,
    origin,
    asked,
    headers,
    async [Symbol.asyncDispose](): Promise<void> {
      client.close();
      await server.shutdown();
    },
  };
}

/** Starts a mirror that has these files. */
export function startMirrorWith(...files: string[]): TestMirror {
  return startMirror((request) => {
    const name = decodeURIComponent(new URL(request.url).pathname.split("/").at(-1) ?? "");
    return files.includes(name) ? new Response("data") : new Response("no", { status: 404 });
  });
}

/** Starts a server that accepts connections, writes `bytes` to each, and then sends nothing. */
export function startRaw(bytes: string): TestMirror {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Deno.Conn[] = [];
  const accepting = (async (): Promise<void> => {
    for await (const connection of listener) {
      connections.push(connection);
      if (bytes !== "") await connection.write(new TextEncoder().encode(bytes)).catch(() => {});
    }
  })();
  const origin = `http://127.0.0.1:${listener.addr.port}`;
  return {
    server: `${origin}/core`,
    origin,
    asked: [],
    headers: [],
    async [Symbol.asyncDispose](): Promise<void> {
      listener.close();
      await accepting;
      for (const connection of connections) connection.close();
    },
  };
}

/** Starts a server that cannot be reached, because the kernel drops all packets to it. */
export async function startUnreachable(): Promise<Pick<TestMirror, "server"> & Disposable> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const { port } = listener.addr;
  // Fill the queue of the kernel, which accepts one connection more than the backlog.
  const fillers = await Promise.all(
    [1, 2].map(() => Deno.connect({ hostname: "127.0.0.1", port })),
  );
  return {
    server: `http://127.0.0.1:${port}/core`,
    [Symbol.dispose](): void {
      for (const filler of fillers) filler.close();
      listener.close();
    },
  };
}

/** Returns the URL of a mirror on a closed port. */
export function closedServer(): string {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return `http://127.0.0.1:${port}/core`;
}

/** A `Self` that no URL leads to. */
export const nobody: Self = new Self([], [], null);

/** Returns the mirrors of a repository with these `Server` lines. */
export function mirrorsAt(...servers: string[]): Mirror[] {
  return mirrorsOf(
    { name: "core", servers, packageSignatureRequired: true },
    { cacheDirectories: [], databasePath: "/", architectures: [], repositories: [] },
    null,
    nobody,
    "core.db",
  );
}
