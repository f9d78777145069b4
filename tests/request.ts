/** Builds requests for tests without a socket. */

import type { Connection, HttpRequest, RequestHeaders } from "../src/http/exchange.ts";

/** The parts of a request that a test can set. The default is a GET of `/` from 192.0.2.7. */
export interface RequestParts {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: RequestHeaders;
  readonly body?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  readonly connection?: Partial<Connection>;
  readonly signal?: AbortSignal;
}

/** Returns a request as the listener passes it to a handler. */
export function makeRequest(parts: RequestParts = {}): HttpRequest {
  return {
    method: parts.method ?? "GET",
    target: parts.target ?? "/",
    headers: parts.headers ?? {},
    body: stream(parts.body ?? []),
    connection: {
      remoteAddress: "192.0.2.7",
      remotePort: 40000,
      localAddress: "192.0.2.1",
      localPort: 8000,
      secure: false,
      clientCertificate: null,
      ...parts.connection,
    },
    signal: parts.signal ?? new AbortController().signal,
  };
}

async function* stream(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield chunk;
}
