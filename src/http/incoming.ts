/** The request that a handler sees, on top of one of `node:http`. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Connection, HttpRequest, RequestHeaders } from "./exchange.ts";
import type { Head } from "./head.ts";

/**
 * A request that came over a socket. Header fields, body and signal are made when they are first
 * asked for: most requests for a small file never ask for the last two.
 */
export class IncomingRequest implements HttpRequest {
  readonly method: string;
  readonly target: string;
  readonly connection: Connection;
  /** When its head was complete, by `performance.now()`. */
  readonly startedAt: number;
  /** True when the client sends a body. */
  readonly hasBody: boolean;
  /** Set while the handler waits for more of the body: since when, by `performance.now()`. */
  waitingSince: number = 0;

  readonly #message: IncomingMessage;
  readonly #authority: string | null;
  #continue: ServerResponse | null;
  #headers: RequestHeaders | null = null;
  #controller: AbortController | null = null;
  #gone = false;
  #taken = false;

  /** @param response given when the client waits for `100 Continue` before it sends the body. */
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

  /** True when nothing more of the body is to come from the client. */
  get bodyComplete(): boolean {
    return !this.hasBody || this.#message.complete;
  }

  /** True while the client still holds the body back, waiting for `100 Continue`. */
  get bodyHeldBack(): boolean {
    return this.#continue !== null;
  }

  /** The client went away. */
  abort(): void {
    this.#gone = true;
    this.#controller?.abort();
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    this.#continue?.writeContinue();
    this.#continue = null;
    // destroyOnReturn would take the socket along, and with it the reply to a body that is too long.
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
   * Takes and forgets what is left of the body, so that the client, which may still be sending, gets
   * to see the reply.
   *
   * @returns when the body ended, the connection broke, or more than `size` bytes came.
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
