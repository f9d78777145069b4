/** Requests made by hand, for tests that need no socket. */

import type { Connection, HttpRequest, RequestHeaders } from "../src/http/exchange.ts";

/** What of a request a test cares for; all else is a GET of `/` from 192.0.2.7. */
export interface RequestParts {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: RequestHeaders;
  readonly body?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  readonly connection?: Partial<Connection>;
  readonly signal?: AbortSignal;
}

/** A request as the listener would hand it on. */
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
