/** A listener on a port that the kernel chooses, and clients that send raw bytes to it. */

import type { TlsConfiguration } from "../src/http/configuration.ts";
import type { Handler, Reply } from "../src/http/exchange.ts";
import { DEFAULT_LIMITS } from "../src/http/limits.ts";
import {
  listen,
  type Listener,
  type ListenerEvents,
  type ListenerLimits,
} from "../src/http/listener.ts";

/** The parts of a listener that a test can set. */
export interface ListeningParts {
  readonly events?: ListenerEvents;
  readonly limits?: Partial<ListenerLimits>;
  readonly tls?: TlsConfiguration;
  readonly address?: string | null;
  readonly ipv6?: boolean;
}

/** Listens on 127.0.0.1 (or as the parts say) while `use` runs. */
export async function withListener(
  handler: Handler,
  use: (listener: Listener) => Promise<void>,
  parts: ListeningParts = {},
): Promise<void> {
  const configuration = {
    address: parts.address === undefined ? "127.0.0.1" : parts.address,
    port: 0,
    ipv6: parts.ipv6 ?? false,
    tls: parts.tls ?? null,
  };
  const limits = { ...DEFAULT_LIMITS, ...parts.limits };
  const listener = await listen(configuration, handler, parts.events, limits);
  try {
    await use(listener);
  } finally {
    await listener.close(0);
  }
}

/** Returns a reply with plain text. */
export function text(body: string, status = 200): Reply {
  const bytes = new TextEncoder().encode(body);
  return { status, headers: { "Content-Type": "text/plain" }, body: bytes };
}

/** Sends a request (one byte per character), and returns all bytes until the server closes the connection. */
export async function rawExchange(port: number, request: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const sending = writeAll(connection, latin1(request)).catch(() => {});
  const answer = await readUntil(connection, () => false);
  await sending;
  return answer;
}

/** Reads until `enough` returns true for all bytes so far, or the connection ends or fails. */
export async function readUntil(
  connection: Deno.Conn,
  enough: (text: string) => boolean,
): Promise<string> {
  const decoder = new TextDecoder("latin1");
  const buffer = new Uint8Array(65536);
  let text = "";
  while (!enough(text)) {
    const count = await connection.read(buffer).catch(() => null);
    if (count === null) break;
    text += decoder.decode(buffer.subarray(0, count));
  }
  return text;
}

/** Writes all bytes. */
export async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.byteLength;) sent += await connection.write(bytes.subarray(sent));
}

/** Returns the bytes of a text with one byte per character. */
export function latin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Returns the status of a raw reply; 0 if there is none. */
export function statusOf(reply: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(reply)?.[1] ?? 0);
}

/** Waits until a condition holds; fails after five seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Timed out waiting until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
