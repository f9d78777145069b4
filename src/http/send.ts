/** Sends the reply of a handler over a response of `node:http`. */

import { bodyLength, type FileSlice, isFileSlice, type Reply, type ReplyBody } from "./exchange.ts";
import { closeFile, readAtOnce, sendFile } from "./file_body.ts";
import type { ListenerLimits } from "./limits.ts";
import type { Transfer } from "./transfer.ts";

/**
 * Sends a reply: at once if its body is in memory, else piece by piece as fast as the client takes it.
 *
 * @param close true when the connection must be closed after this reply
 * @returns null when the whole reply was handed to the socket; else a promise that resolves when it
 * was, and rejects when the body could not be read
 */
export function send(
  transfer: Transfer,
  reply: Reply,
  close: boolean,
  limits: ListenerLimits,
): Promise<void> | null {
  transfer.reply = reply;
  const { request } = transfer;
  const { body } = reply;
  const bodiless = request.method === "HEAD" || reply.status === 204 || reply.status === 304;
  const unread = !request.bodyComplete;
  if (transfer.gone) return discard(body);
  if (!unread) {
    if (body === null || bodiless) {
      sendHead(transfer, reply, bodiless, close);
      transfer.end(null);
      return discard(body);
    }
    if (body instanceof Uint8Array) {
      sendHead(transfer, reply, false, close);
      transfer.end(body);
      return null;
    }
    if (isFileSlice(body) && body.length > 0 && sendAtOnce(transfer, reply, body, close)) {
      return null;
    }
  }
  return sendSlowly(transfer, reply, bodiless, close || unread, unread ? limits : null);
}

/** Closes the file or stream of a body that will not be sent. It may be called twice. */
export async function discard(body: ReplyBody): Promise<void> {
  if (body === null || body instanceof Uint8Array) return;
  if (isFileSlice(body)) closeFile(body.file);
  else await body[Symbol.asyncIterator]().return?.();
}

/** Sends a small file without a promise; false, and nothing sent, when it is large or truncated. */
function sendAtOnce(transfer: Transfer, reply: Reply, slice: FileSlice, close: boolean): boolean {
  return readAtOnce(slice, (bytes, free) => {
    transfer.onEnded = free;
    sendHead(transfer, reply, false, close);
    transfer.end(bytes);
  });
}

async function sendSlowly(
  transfer: Transfer,
  reply: Reply,
  bodiless: boolean,
  close: boolean,
  unread: ListenerLimits | null,
): Promise<void> {
  const { body } = reply;
  const last = async (piece: Uint8Array): Promise<boolean> => {
    if (unread === null) return transfer.endWith(piece);
    if (!await transfer.write(piece)) return false;
    await linger(transfer, unread);
    return true;
  };
  if (body === null || bodiless || body instanceof Uint8Array || isEmptySlice(body)) {
    sendHead(transfer, reply, bodiless, close);
    if (body instanceof Uint8Array && !bodiless && body.byteLength > 0) {
      await last(body);
      return;
    }
    transfer.response.flushHeaders();
    await discard(body);
    if (unread !== null) await linger(transfer, unread);
    else transfer.end(null);
  } else if (isFileSlice(body)) {
    sendHead(transfer, reply, false, close);
    await sendFile(transfer, body, last);
  } else if (await sendStream(transfer, reply, body, close)) {
    if (unread !== null) await linger(transfer, unread);
    else transfer.end(null);
  }
}

function isEmptySlice(body: ReplyBody): boolean {
  return isFileSlice(body) && body.length === 0;
}

/** Writes the head, with the length of the body if it is known. */
function sendHead(transfer: Transfer, reply: Reply, bodiless: boolean, close: boolean): void {
  transfer.head(reply.status, reply.headers, lengthOf(reply, bodiless), close);
}

/** The `Content-Length` to send; null to leave the one that the handler set, if any. */
function lengthOf(reply: Reply, bodiless: boolean): number | null {
  const { body, status } = reply;
  if (body instanceof Uint8Array) return status === 204 ? null : body.byteLength;
  if (isFileSlice(body)) return body.length;
  return body === null && !bodiless ? 0 : null;
}

/**
 * Sends a stream.
 *
 * @returns true when all of it was sent, false when the client is gone.
 * @throws what the stream throws, and an error when the stream does not yield exactly as many bytes
 * as the handler's `Content-Length` says. The caller must then break the transfer off.
 */
async function sendStream(
  transfer: Transfer,
  reply: Reply,
  body: AsyncIterable<Uint8Array>,
  close: boolean,
): Promise<boolean> {
  const iterator = body[Symbol.asyncIterator]();
  let left = bodyLength(reply) ?? Infinity;
  let ended = false;
  let begun = false;
  try {
    while (!transfer.gone) {
      // When the client goes away while we wait for the next chunk, stop the stream at once.
      transfer.onGone = (): void => void iterator.return?.().catch(() => {});
      const { done, value } = await iterator.next();
      transfer.onGone = null;
      // The head is sent with the first chunk: until then a failure can still be answered with a 500.
      if (!begun) sendHead(transfer, reply, false, close);
      begun = true;
      ended = done === true;
      if (done === true) break;
      if (value.byteLength === 0) {
        transfer.response.flushHeaders();
        continue;
      }
      left -= value.byteLength;
      if (left < 0) break;
      if (!await transfer.write(value)) break;
    }
  } catch (error) {
    ended = true;
    throw error;
  } finally {
    transfer.onGone = null;
    if (!ended) await iterator.return?.();
  }
  if (transfer.gone) return false;
  if (ended && (left === 0 || left === Infinity)) return true;
  throw new Error("A body was longer or shorter than its Content-Length.");
}

/**
 * Ends a reply to a client that is still sending a body which the handler did not read. Closing at
 * once would make the kernel reset the connection, and the client could lose the reply (RFC 9112
 * §9.6). Some of the rest of the body is therefore read and dropped first.
 */
async function linger(transfer: Transfer, limits: ListenerLimits): Promise<void> {
  const { request } = transfer;
  if (!transfer.gone && !request.bodyComplete && !request.bodyHeldBack) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limits.drainTimeout);
    });
    await Promise.race([request.drain(limits.drainSize), timeout]);
    clearTimeout(timer);
  }
  transfer.end(null);
}
