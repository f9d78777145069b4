/** The request that a handler sees, made from a request of `node:http`. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Connection, HttpRequest, RequestHeaders } from "./exchange.ts";
import type { Head } from "./head.ts";

/**
 * A request that came over a socket. Header fields, body and signal are created on first use: for
 * most small files, handlers use neither body nor signal.
 */
export class IncomingRequest implements HttpRequest {
  readonly method: string;
  readonly target: string;
  readonly connection: Connection;
  /** When the head was complete, by `performance.now()`. */
  readonly startedAt: number;
  /** True when the client sends a body. */
  readonly hasBody: boolean;
  /** Since when the handler has been waiting for more of the body (`performance.now()`); 0: it is not. */
  waitingSince: number = 0;

  readonly #message: IncomingMessage;
  readonly #authority: string | null;
  #continue: ServerResponse | null;
  #headers: RequestHeaders | null = null;
  #controller: AbortController | null = null;
  #gone = false;
  #taken = false;

  /** @param response null unless the client waits for `100 Continue` before it sends the body. */
  constructor(
    message: IncomingMessage,
    head: Head,
    connection: Connection,
    startedAt: number,
    response: ServerResponse | null,
  ) {
    this.method = message.method ?? "";
    this.target = head.target;
    this.connection = connection;
    this.startedAt = startedAt;
    this.hasBody = head.hasBody;
    this.#message = message;
    this.#authority = head.authority;
    this.#continue = response;
  }

  get headers(): RequestHeaders {
    this.#headers ??= this.#authority === null
      ? this.#message.headers as RequestHeaders
      : { ...this.#message.headers as RequestHeaders, host: this.#authority };
    return this.#headers;
  }

  get body(): AsyncIterable<Uint8Array> {
    if (!this.hasBody) return EMPTY;
    if (this.#taken) throw new TypeError("The body of a request can be read once only.");
    this.#taken = true;
    return this.#read();
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#gone) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  /** True when the whole body has arrived, or the request has no body. */
  get bodyComplete(): boolean {
    return !this.hasBody || this.#message.complete;
  }

  /** True while the client still waits for `100 Continue` before it sends the body. */
  get bodyHeldBack(): boolean {
    return this.#continue !== null;
  }

  /** Must be called when the client went away. */
  abort(): void {
    this.#gone = true;
    this.#controller?.abort();
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    this.#continue?.writeContinue();
    this.#continue = null;
    // destroyOnReturn would close the socket too, and the reply to a body that is too long were lost.
    const chunks = this.#message.iterator({ destroyOnReturn: false });
    try {
      while (true) {
        this.waitingSince = performance.now();
        const { done, value } = await chunks.next();
        this.waitingSince = 0;
        if (done === true) break;
        yield value as Uint8Array;
      }
    } finally {
      this.waitingSince = 0;
      await chunks.return?.();
    }
    if (!this.#message.complete) throw new Error("The client went away before all of it arrived.");
  }

  /**
   * Reads and drops the rest of the body: a client that is still sending would otherwise not read the
   * reply.
   *
   * @returns a promise that resolves when the body ended, the connection broke, or more than `size`
   * bytes came.
   */
  drain(size: number): Promise<void> {
    const message = this.#message;
    return new Promise((resolve) => {
      let taken = 0;
      message.on("data", (chunk: Uint8Array) => {
        taken += chunk.byteLength;
        if (taken > size) resolve();
      });
      for (const event of ["end", "close", "error"]) message.once(event, () => resolve());
      if (message.readableEnded || message.destroyed) resolve();
    });
  }
}

const EMPTY: AsyncIterable<Uint8Array> = {
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {},
};
