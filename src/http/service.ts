/** Takes requests from `node:http` to the handler, one after the other on each connection. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { statusText } from "../std.ts";
import { discard, send } from "./send.ts";
import type { ClientConnection } from "./client_connection.ts";
import type { Connections } from "./connections.ts";
import type { Connection, Handler, HttpRequest, Reply } from "./exchange.ts";
import { examineHead, isRefusal } from "./head.ts";
import { IncomingRequest } from "./incoming.ts";
import type { ListenerLimits } from "./limits.ts";
import { textReply } from "./replies.ts";
import { SECURE_HEADERS, Transfer } from "./transfer.ts";

/** Why a parser gave up. */
interface ParseError extends Error {
  readonly code?: string;
  /** The bytes that it was looking at. */
  readonly rawPacket?: Uint8Array;
}

/** A request that was answered, for the access log. */
export interface FinishedExchange {
  readonly request: HttpRequest;
  readonly reply: Reply;
  /** Bytes of the body that were handed to the socket. */
  readonly bytesSent: number;
  /** From the complete head of the request to the last byte of the reply. */
  readonly durationMs: number;
  /** The client went away, or the transfer was broken off, before all was sent. */
  readonly aborted: boolean;
}

/** Events of a listener. */
export interface ListenerEvents {
  /** A reply was sent, or its client went away. */
  readonly finished?: (exchange: FinishedExchange) => void;
  /** A handler threw, or a body could not be read. */
  readonly failed?: (error: unknown, request: HttpRequest) => void;
  /** A client sent something that is not HTTP. */
  readonly malformed?: (remoteAddress: string, reason: string) => void;
  /** A TLS handshake failed: the client did not speak TLS, or a certificate was refused. */
  readonly handshakeFailed?: (remoteAddress: string, reason: string) => void;
  /** No connection is accepted any more ({@link AcceptWatchdog}): the runtime is at its end. */
  readonly stalled?: () => void;
}

/**
 * Requests of a connection that may wait. Once enough of them do, no more are read ({@link
 * ClientConnection.hold}); this is more than what was read by then can hold.
 */
const MAX_QUEUED = 8192;

/** Answers the requests of one listener. */
export class Service {
  /** Connections end after the reply that is under way. */
  closing = false;
  readonly #connections: Connections;
  readonly #handler: Handler;
  readonly #events: ListenerEvents;
  readonly #limits: ListenerLimits;

  constructor(
    connections: Connections,
    handler: Handler,
    events: ListenerEvents,
    limits: ListenerLimits,
  ) {
    this.#connections = connections;
    this.#handler = handler;
    this.#events = events;
    this.#limits = limits;
  }

  /**
   * Takes a request in.
   *
   * @param held true when the client waits for `100 Continue`
   */
  accept(message: IncomingMessage, response: ServerResponse, held: boolean): void {
    const connection = this.#connections.of(message.socket);
    if (connection === undefined || connection.facts === null) {
      message.socket.destroy();
    } else if (connection.activity === null) {
      this.#start(connection, connection.facts, message, response, held);
    } else if (connection.queue.length < MAX_QUEUED) {
      const { facts } = connection;
      connection.queue.push(() => this.#start(connection, facts, message, response, held));
      if (connection.queue.length >= this.#limits.pipelined) connection.hold();
    } else {
      connection.destroy();
    }
  }

  /** Answers a request that the parser could not read, and closes the connection. */
  refuse(error: ParseError, socket: Socket): void {
    const connection = this.#connections.of(socket);
    const status = statusOfParseError(error);
    if (status !== null && connection !== undefined && !connection.broken) {
      this.#events.malformed?.(connection.address, error.message);
    }
    this.reject(status, socket);
  }

  /**
   * Closes a connection that the runtime reads no more requests from.
   *
   * @param status of the answer; null where nobody waits for one
   */
  reject(status: number | null, socket: Socket): void {
    stopParsing(socket);
    const connection = this.#connections.of(socket);
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    if (connection.broken) return;
    connection.broken = true;
    if (status === null || connection.activity !== null || !socket.writable) {
      // In the middle of a reply, the client would take another answer for a part of that reply.
      connection.destroy();
      return;
    }
    socket.end(bareReply(status));
    // Read and drop what the client still sends: closing at once would reset the connection, and the
    // client would lose the answer.
    socket.resume();
    setTimeout(() => connection.destroy(), Math.min(1000, this.#limits.drainTimeout));
  }

  #start(
    connection: ClientConnection,
    facts: Connection,
    message: IncomingMessage,
    response: ServerResponse,
    held: boolean,
  ): void {
    const head = examineHead(message, this.#limits);
    const known = isRefusal(head)
      ? { target: message.url ?? "", authority: null, hasBody: false }
      : head;
    const startedAt = performance.now();
    const request = new IncomingRequest(message, known, facts, startedAt, held ? response : null);
    const transfer = new Transfer(request, response, this.#limits.halfOpenTimeout);
    connection.activity = transfer;
    transfer.onAborted = (): void => this.#report(transfer);
    response.on("finish", () => this.#finished(connection, transfer));
    if (connection.inputEnded) transfer.inputEnded();
    if (isRefusal(head)) {
      this.#send(connection, transfer, textReply(head.status, head.reason), true);
      return;
    }
    try {
      const reply = this.#handler(request);
      if (!(reply instanceof Promise)) {
        this.#send(connection, transfer, reply, false);
        return;
      }
      reply.then(
        (reply) => this.#send(connection, transfer, reply, false),
        (error) => this.#failed(connection, transfer, error),
      );
    } catch (error) {
      this.#failed(connection, transfer, error);
    }
  }

  #send(connection: ClientConnection, transfer: Transfer, reply: Reply, close: boolean): void {
    const failed = (error: unknown): void => {
      void discard(reply.body).catch(() => {});
      this.#failed(connection, transfer, error);
    };
    try {
      send(transfer, reply, close || this.closing, this.#limits)?.catch(failed);
    } catch (error) {
      failed(error);
    }
    if (transfer.gone) this.#report(transfer);
  }

  #failed(connection: ClientConnection, transfer: Transfer, error: unknown): void {
    // That a read fails when its client is gone is no news.
    if (!transfer.gone) this.#events.failed?.(error, transfer.request);
    if (transfer.response.headersSent) transfer.breakOff();
    if (transfer.gone) {
      transfer.reply ??= FAILED;
      this.#report(transfer);
    } else {
      this.#send(connection, transfer, FAILED, true);
    }
  }

  #finished(connection: ClientConnection, transfer: Transfer): void {
    // A response "finishes" also when its last write failed.
    if (connection.failed) transfer.abort();
    connection.idle();
    transfer.ended(!transfer.gone);
    this.#report(transfer);
    if (this.closing && connection.queue.length === 0) connection.end();
    else connection.queue.shift()?.();
    if (connection.queue.length < this.#limits.pipelined) connection.release();
  }

  #report(transfer: Transfer): void {
    const { request, reply, bytesSent, gone: aborted } = transfer;
    if (reply === null || transfer.reported) return;
    transfer.reported = true;
    const durationMs = performance.now() - request.startedAt;
    this.#events.finished?.({ request, reply, bytesSent, durationMs, aborted });
  }
}

/**
 * The status for a parser's error: 431 for a head that is too large (414 where already the request
 * line is), 505 for HTTP/2 without negotiation, else 400; null when the connection broke and nobody
 * waits for an answer.
 */
function statusOfParseError(error: ParseError): number | null {
  switch (error.code) {
    case "HPE_HEADER_OVERFLOW":
      return error.rawPacket !== undefined && !error.rawPacket.includes(0x0a) ? 414 : 431;
    case "HPE_PAUSED_H2_UPGRADE":
      return 505;
    case "ECONNRESET":
    case "EPIPE":
    case "ETIMEDOUT":
      return null;
    default:
      return 400;
  }
}

/** A whole reply that says only its status, for a socket that no request came over. */
function bareReply(status: number): string {
  const text = `${status} ${statusText[status] ?? ""}`;
  return `HTTP/1.1 ${text}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
    Object.entries(SECURE_HEADERS).map(([name, value]) => `${name}: ${value}\r\n`).join("") +
    `Content-Length: ${text.length + 1}\r\nConnection: close\r\n\r\n${text}\n`;
}

/**
 * Stops the runtime from parsing what comes over a socket.
 *
 * When a request cannot be parsed, Deno 2.9.6 puts the parser aside for the next connection, but the
 * socket's own `data` and `end` listeners still feed it: what this client sends would become part of
 * another client's request. `tests/unit/http/runtime_parser_test.ts` shows that fault by itself.
 */
function stopParsing(socket: Socket): void {
  socket.removeAllListeners("data");
  socket.removeAllListeners("end");
}

const FAILED = textReply(500, "The server failed to answer; its log says why.");
