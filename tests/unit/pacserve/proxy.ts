/** A real proxy on the loopback interface. */

/** A running proxy, until it is disposed of. */
export interface TestProxy extends AsyncDisposable {
  /** `127.0.0.1:12345` */
  readonly address: string;
  /** The first lines of the requests: `GET http://mirror.invalid/x HTTP/1.1`. */
  readonly asked: readonly string[];
  /** The `Proxy-Authorization` of each request. */
  readonly credentials: readonly (string | null)[];
}

/** The options of a proxy. */
export interface TestProxyOptions {
  /** The status with which the proxy refuses each request; by default it refuses none. */
  readonly status?: number;
}

/**
 * Starts a proxy that resolves every name to this machine. It forwards one request for each connection to the
 * port in the URL, or opens a tunnel to it.
 */
export function startProxy({ status }: TestProxyOptions = {}): TestProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const asked: string[] = [];
  const credentials: (string | null)[] = [];
  const open = new Set<Deno.Conn>();

  async function serve(client: Deno.Conn): Promise<void> {
    const [first = "", ...fields] = (await readHead(client)).split("\r\n");
    asked.push(first);
    const own = fields.find((field) => /^proxy-authorization:/i.test(field));
    credentials.push(own?.replace(/^[^:]*: */, "") ?? null);
    if (status !== undefined) {
      await write(client, `HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const [method = "", target = ""] = first.split(" ");
    const isTunnel = method === "CONNECT";
    const url = new URL(isTunnel ? `https://${target}` : target);
    const server = await Deno.connect({ hostname: "127.0.0.1", port: Number(url.port) });
    open.add(server);
    if (isTunnel) await write(client, "HTTP/1.1 200 Connected\r\n\r\n");
    else {
      const passedOn = fields.filter((field) => field !== own && field !== "");
      const lines = [`${method} ${url.pathname} HTTP/1.1`, ...passedOn, "Connection: close"];
      await write(server, lines.join("\r\n") + "\r\n\r\n");
    }
    await Promise.all([
      client.readable.pipeTo(server.writable),
      server.readable.pipeTo(client.writable),
    ]);
  }

  const accepting = (async (): Promise<void> => {
    for await (const client of listener) {
      open.add(client);
      void serve(client).catch(() => {}).finally(() => closeQuietly(client));
    }
  })();
  return {
    address: `127.0.0.1:${listener.addr.port}`,
    asked,
    credentials,
    async [Symbol.asyncDispose](): Promise<void> {
      listener.close();
      await accepting;
      for (const connection of open) closeQuietly(connection);
    },
  };
}

async function readHead(connection: Deno.Conn): Promise<string> {
  let head = "";
  const buffer = new Uint8Array(4096);
  while (!head.endsWith("\r\n\r\n")) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error("the connection was closed");
    head += new TextDecoder().decode(buffer.subarray(0, count));
  }
  return head;
}

async function write(connection: Deno.Conn, text: string): Promise<void> {
  await connection.write(new TextEncoder().encode(text));
}

function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // The connection is already closed.
  }
}
