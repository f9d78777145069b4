/** A reply on its way to the client. */

import type { ServerResponse } from "node:http";
import type { Activity } from "./client_connection.ts";
import type { Reply, ReplyHeaders } from "./exchange.ts";
import type { IncomingRequest } from "./incoming.ts";

/**
 * Fields of every reply, unless it has its own value: no browser guesses its type, no page can put it in
 * a frame, and no page of another site can load it as an image, style, script or media.
 */
export const SECURE_HEADERS: ReplyHeaders = {
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Cross-Origin-Resource-Policy": "same-origin",
};

/** Keeps account of one request and its reply until the last byte is handed over or the client is gone. */
export class Transfer implements Activity {
  readonly request: IncomingRequest;
  readonly response: ServerResponse;
  /** Null until the handler answered. */
  reply: Reply | null = null;
  /** Bytes of the body that the socket took. */
  bytesSent = 0;
  /** The connection broke: nothing can be sent any more. */
  gone = false;
  /** The access log has it. */
  reported = false;
  /** Called once, when the connection breaks. */
  onAborted: (() => void) | null = null;
  /** Called when the connection breaks while a piece of the body is awaited or written. */
  onGone: (() => void) | null = null;
  /** Called when nothing of the reply is held any more; with false when the connection broke. */
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
    this.onAborted?.();
  }

  /** All was handed over, or the connection broke. */
  ended(clean: boolean): void {
    clearInterval(this.#halfOpenTimer);
    this.onEnded?.(clean);
    this.onEnded = null;
  }

  /**
   * The client sends no more: a body that is not complete never will be, and when nothing is sent to it
   * for a while it is taken to be gone.
   */
  inputEnded(): void {
    if (!this.request.bodyComplete) return this.breakOff();
    let before = this.bytesSent;
    this.#halfOpenTimer = setInterval(() => {
      if (this.bytesSent === before && !this.isSending) this.breakOff();
      before = this.bytesSent;
    }, this.#halfOpenTimeout);
  }

  /** Breaks the connection off, so that the client cannot take part of the reply for all of it. */
  breakOff(): void {
    this.response.socket?.destroy();
    this.abort();
  }

  /**
   * Writes the head, with the fields that every reply has.
   *
   * @param length of the body; null leaves what the handler said, or nothing
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
   * As {@link Transfer.end}, and waits until the socket took all.
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
   * It waits for the callback of `write` and not for `drain`: under Deno's TLS the latter may never
   * come on a connection that is used again.
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

/** Header fields as `writeHead` takes them at the least cost: name, value, name, value… */
function flatten(headers: ReplyHeaders, length: number | null, close: boolean): string[] {
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
