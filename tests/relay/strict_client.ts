/** A client that accepts no more errors than pacman does (measured with 6.0.2 and 7.1.0). */

import { latin1, writeAll } from "../listening.ts";

/** The result of a download. */
export interface Outcome {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  /** Duration in milliseconds. */
  readonly took: number;
}

/** pacman gives up after this time (ms) without a byte of the body. */
const SILENCE = 10_000;

/**
 * Downloads a file as pacman does.
 *
 * @param size expected size of the file in bytes.
 * @param from position of the first byte.
 * @throws when pacman would report an error: after ten seconds without a byte of the body, for a missing or
 * wrong length, for another range than the requested one, and when the body ends too early.
 */
export async function download(
  port: number,
  target: string,
  size: number,
  from: number = 0,
): Promise<Outcome> {
  const begun = performance.now();
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const range = from > 0 ? `Range: bytes=${from}-\r\n` : "";
  await writeAll(connection, latin1(`GET ${target} HTTP/1.1\r\nHost: localhost\r\n${range}\r\n`));
  let silence: ReturnType<typeof setTimeout> | undefined;
  const alive = (): void => {
    clearTimeout(silence);
    silence = setTimeout(() => connection.close(), SILENCE);
  };
  alive();
  try {
    const { status, headers, rest } = await readHead(connection);
    const length = Number(headers.get("content-length"));
    if (headers.has("transfer-encoding")) throw new Error("it is chunked");
    if (status !== (from > 0 ? 206 : 200)) return ended(status, headers, rest, begun);
    if (length !== size - from) throw new Error(`the length is ${headers.get("content-length")}`);
    const wanted = `bytes ${from}-${size - 1}/${size}`;
    if (from > 0 && headers.get("content-range") !== wanted) throw new Error("another range");
    const body = new Uint8Array(length);
    body.set(rest);
    let received = rest.length;
    if (received > 0) alive();
    while (received < length) {
      const count = await connection.read(body.subarray(received));
      if (count === null) throw new Error(`it breaks off at byte ${received}`);
      received += count;
      alive();
    }
    return ended(status, headers, body, begun);
  } catch (error) {
    if (error instanceof Deno.errors.Interrupted || error instanceof Deno.errors.BadResource) {
      throw new Error("no byte arrived for ten seconds");
    }
    throw error;
  } finally {
    clearTimeout(silence);
  }
}

function ended(
  status: number,
  headers: ReadonlyMap<string, string>,
  body: Uint8Array,
  begun: number,
): Outcome {
  return { status, headers, body, took: performance.now() - begun };
}

async function readHead(
  connection: Deno.TcpConn,
): Promise<{ status: number; headers: Map<string, string>; rest: Uint8Array }> {
  const buffer = new Uint8Array(512 * 1024);
  let length = 0;
  for (;;) {
    const text = new TextDecoder("latin1").decode(buffer.subarray(0, Math.min(length, 8192)));
    const end = text.indexOf("\r\n\r\n");
    if (end >= 0) {
      const [first = "", ...lines] = text.slice(0, end).split("\r\n");
      const headers = new Map(lines.map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }));
      return { status: Number(first.split(" ")[1]), headers, rest: buffer.slice(end + 4, length) };
    }
    const count = await connection.read(buffer.subarray(length));
    if (count === null) throw new Error("there is no answer");
    length += count;
  }
}
