/** Mirrors that run for real on the loopback interface. */

import { FileClient } from "../../../src/pacserve/relay/http_client.ts";
import { type Mirror, mirrorsOf, Self } from "../../../src/pacserve/servers.ts";

/** Asks the mirrors. Its connections end with each of them. */
export const client = new FileClient();

/** A server under test, until it is disposed of. */
export interface TestMirror extends AsyncDisposable {
  /** `http://127.0.0.1:12345/core` */
  readonly server: string;
  readonly origin: string;
  /** What it was asked: `HEAD /core/core.db`. */
  readonly asked: readonly string[];
  readonly headers: readonly Headers[];
}

/** A mirror that answers as `answer` says. */
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

/** A mirror that has these files. */
export function startMirrorWith(...files: string[]): TestMirror {
  return startMirror((request) => {
    const name = decodeURIComponent(new URL(request.url).pathname.split("/").at(-1) ?? "");
    return files.includes(name) ? new Response("data") : new Response("no", { status: 404 });
  });
}

/** A server that takes connections, writes `bytes` on each, and says no more. */
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

/** A server that cannot be reached, as one behind a dead line: the kernel drops what is sent there. */
export async function startUnreachable(): Promise<Pick<TestMirror, "server"> & Disposable> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const { port } = listener.addr;
  // The kernel takes one more than it was told, and nobody accepts them.
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

/** The address of a mirror on a port where nobody listens. */
export function closedServer(): string {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return `http://127.0.0.1:${port}/core`;
}

/** A self that no address means. */
export const nobody: Self = new Self([], [], null);

/** Mirrors as they come from the `Server` lines of a repository. */
export function mirrorsAt(...servers: string[]): Mirror[] {
  return mirrorsOf(
    { name: "core", servers, packageSignatureRequired: true },
    { cacheDirectories: [], databasePath: "/", architectures: [], repositories: [] },
    null,
    nobody,
    "core.db",
  );
}
