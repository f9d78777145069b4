/** A request and its reply while the reply is being sent. */

import type { ServerResponse } from "node:http";
import { type Activity, failedCall } from "./client_connection.ts";
import type { Reply, ReplyHeaders } from "./exchange.ts";
import type { IncomingRequest } from "./incoming.ts";

/**
 * Default fields of every reply: browsers do not guess its type, no page can show it in a frame, and
 * no page of another site can load it as an image, style, script or media.
 */
export const SECURE_HEADERS: ReplyHeaders = {
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Cross-Origin-Resource-Policy": "same-origin",
};

/** The state of a request and its reply until the last byte is handed over or the client is gone. */
export class Transfer implements Activity {
  readonly request: IncomingRequest;
  readonly response: ServerResponse;
  /** The reply; null until the handler has answered. */
  reply: Reply | null = null;
  /** Bytes of the body that the socket took. */
  bytesSent = 0;
  /** True when the connection broke, so that nothing can be sent any more. */
  gone = false;
  /** True when this exchange has been reported to the access log. */
  reported = false;
  /** Called when the connection breaks or is closed. */
  onClosed: (() => void) | null = null;
  /** Called when the connection breaks while we wait for a chunk of the body or write one. */
  onGone: (() => void) | null = null;
  /** Called when the buffers of the reply are no longer in use; with false when the connection broke. */
  onEnded: ((clean: boolean) => void) | null = null;
  readonly #halfOpenTimeout: number;
  #halfOpenTimer: ReturnType<typeof setInterval> | undefined;
  #writingSince = 0;

  /** @param halfOpenTimeout of the listener's limits, in milliseconds. */
  constructor(request: IncomingRequest, response: ServerResponse, halfOpenTimeout: number) {
    this.request = request;
    this.response = response;
    this.#halfOpenTimeout = halfOpenTimeout;
  }

  get waitingSince(): number {
    return this.#writingSince === 0 ? this.request.waitingSince : this.#writingSince;
  }

  get isSending(): boolean {
    return this.#writingSince !== 0;
  }

  abort(): void {
    if (this.gone) return;
    this.gone = true;
    this.request.abort();
    this.onGone?.();
    this.ended(false);
    this.onClosed?.();
  }

  /**
   * Must be called when the connection is closed. If the system took all of the reply before, nothing
   * broke: the client may close as soon as it has the last byte, and the close may be reported before the
   * end of the last write.
   */
  closed(): void {
    const { writableFinished, socket } = this.response;
    if (!writableFinished || socket === null || failedCall(socket) === "write") return this.abort();
    this.ended(true);
    this.onClosed?.();
  }

  /** Must be called when all was handed over (`clean`), or the connection broke. */
  ended(clean: boolean): void {
    clearInterval(this.#halfOpenTimer);
    this.onEnded?.(clean);
    this.onEnded = null;
  }

  /**
   * Must be called when the client sends no more: an incomplete body then stays incomplete, and a client
   * to which nothing is sent for a while is treated as gone.
   */
  inputEnded(): void {
    if (!this.request.bodyComplete) return this.breakOff();
    let before = this.bytesSent;
    this.#halfOpenTimer = setInterval(() => {
      if (this.bytesSent === before && !this.isSending) this.breakOff();
      before = this.bytesSent;
    }, this.#halfOpenTimeout);
  }

  /** Breaks the connection off, so that the client does not take a part of the reply for all of it. */
  breakOff(): void {
    this.response.socket?.destroy();
    this.abort();
  }

  /**
   * Writes the head, with the fields that every reply has.
   *
   * @param length of the body in bytes; null keeps the `Content-Length` of the handler, if any
   * @param close true when the connection ends after this reply
   */
  head(status: number, headers: ReplyHeaders, length: number | null, close: boolean): void {
    this.response.writeHead(
      status,
      flatten(headers, length, close),
    );
  }

  /** Ends the reply, with `chunk` as the last or only piece of its body. */
  end(chunk: Uint8Array | null): void {
    if (this.gone) return;
    this.#writingSince = performance.now();
    if (chunk === null) {
      this.response.end();
    } else {
      this.bytesSent += chunk.byteLength;
      this.response.end(chunk);
    }
  }

  /**
   * Does the same as {@link Transfer.end}, and waits until the socket took all.
   *
   * @returns false when the client is gone.
   */
  async endWith(chunk: Uint8Array): Promise<boolean> {
    if (this.gone) return false;
    this.#writingSince = performance.now();
    const sent = await new Promise<boolean>((resolve) => {
      this.onGone = () => resolve(false);
      this.bytesSent += chunk.byteLength;
      this.response.end(chunk, () => resolve(true));
    });
    this.onGone = null;
    return sent && !this.gone;
  }

  /**
   * Sends a piece of the body.
   *
   * It waits for the callback of `write` and not for the event `drain`: under Deno's TLS that event may
   * never come on a connection that is used for a second request.
   *
   * @returns false when the client is gone.
   */
  async write(chunk: Uint8Array): Promise<boolean> {
    if (this.gone) return false;
    this.#writingSince = performance.now();
    const sent = await new Promise<boolean>((resolve) => {
      this.onGone = () => resolve(false);
      this.response.write(chunk, (error) => resolve(!error));
    });
    this.onGone = null;
    this.#writingSince = 0;
    if (sent) this.bytesSent += chunk.byteLength;
    else this.breakOff();
    return sent && !this.gone;
  }
}

/** The result of {@link flatten} for frozen fields, which many replies share, and for a length. */
const flattened = new WeakMap<ReplyHeaders, { readonly length: number | null; flat: string[] }>();

/** Header fields in the form that `writeHead` handles fastest: name, value, name, value… */
function flatten(headers: ReplyHeaders, length: number | null, close: boolean): string[] {
  if (close || !Object.isFrozen(headers)) return flattenAnew(headers, length, close);
  const known = flattened.get(headers);
  if (known?.length === length) return known.flat;
  const flat = flattenAnew(headers, length, false);
  flattened.set(headers, { length, flat });
  return flat;
}

function flattenAnew(headers: ReplyHeaders, length: number | null, close: boolean): string[] {
  const flat: string[] = [];
  for (const name of Object.keys(headers)) {
    const value = headers[name] as string | readonly string[];
    if (length !== null && name.length === 14 && name.toLowerCase() === "content-length") continue;
    if (typeof value === "string") flat.push(name, value);
    else for (const one of value) flat.push(name, one);
  }
  for (const name of Object.keys(SECURE_HEADERS)) {
    if (!(name in headers)) flat.push(name, SECURE_HEADERS[name] as string);
  }
  if (length !== null) flat.push("Content-Length", String(length));
  if (close) flat.push("Connection", "close");
  return flat;
}
