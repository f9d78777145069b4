/** Passes requests from `node:http` to the handler, one after the other on each connection. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { statusPhrases } from "../std.ts";
import { discard, send } from "./send.ts";
import type { ClientConnection } from "./client_connection.ts";
import type { Connections } from "./connections.ts";
import type { Connection, Handler, HttpRequest, Reply } from "./exchange.ts";
import { examineHead, isRefusal } from "./head.ts";
import { IncomingRequest } from "./incoming.ts";
import type { ListenerLimits } from "./limits.ts";
import { textReply } from "./replies.ts";
import { SECURE_HEADERS, Transfer } from "./transfer.ts";

/** The error of a parser that could not go on. */
interface ParseError extends Error {
  readonly code?: string;
  /** The bytes that it was parsing. */
  readonly rawPacket?: Uint8Array;
}

/** A request that was answered, for the access log. */
export interface FinishedExchange {
  readonly request: HttpRequest;
  readonly reply: Reply;
  /** How many bytes of the body were handed to the socket. */
  readonly bytesSent: number;
  /** Time from the complete head of the request to the last byte of the reply, in milliseconds. */
  readonly durationMs: number;
  /** True when the client went away, or the transfer was broken off, before all was sent. */
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
  /** A client sent plain HTTP to a port with TLS, and got a 400. */
  readonly plainHttp?: (remoteAddress: string) => void;
  /** A TLS handshake failed: the client did not speak TLS, or a certificate was refused. */
  readonly handshakeFailed?: (remoteAddress: string, reason: string) => void;
  /** The server no longer accepts connections ({@link AcceptWatchdog}), and cannot recover. */
  readonly stalled?: () => void;
}

/**
 * How many requests of a connection may wait. At `pipelined` requests we stop reading ({@link
 * ClientConnection.hold}), and the bytes that were read before hold fewer requests than this.
 */
const MAX_QUEUED = 8192;

/** Answers the requests of one listener. */
export class Service {
  /** True: each connection is closed after the reply under way. */
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
   * Answers a request, after those of the same connection that came before it.
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
   * Closes a connection from which the runtime reads no more requests.
   *
   * @param status of the answer; null when the client does not wait for one
   * @param message what the answer says; by default only the status
   */
  reject(status: number | null, socket: Socket, message?: string): void {
    stopParsing(socket);
    const connection = this.#connections.of(socket);
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    if (connection.broken) return;
    connection.broken = true;
    // `node:http` does not handle the errors of a socket after CONNECT, nor those of one that never
    // reached it. An error without a listener would end the process, and any client can reset its
    // connection.
    socket.on("error", () => connection.destroy());
    if (status === null || connection.activity !== null || !socket.writable) {
      // In the middle of a reply, the client would take an error reply for a part of that reply.
      connection.destroy();
      return;
    }
    socket.end(bareReply(status, message));
    // Read and drop what the client still sends: closing at once would reset the connection, and the
    // client would lose the answer.
    socket.resume();
    setTimeout(() => connection.destroy(), Math.min(1000, this.#limits.drainTimeout));
  }

  /** Replies that are being sent, as far as they are now. */
  active(): FinishedExchange[] {
    return this.#connections.activities().flatMap((activity) =>
      activity instanceof Transfer ? exchangeOf(activity) ?? [] : []
    );
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
    transfer.onClosed = (): void => this.#report(transfer);
    response.on("finish", () => this.#finished(connection, transfer));
    if (connection.inputEnded) transfer.inputEnded();
    if (isRefusal(head)) {
      this.#send(connection, transfer, head, true);
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
    // When the client is gone, the error is only a consequence of that: do not log it.
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
    // The event "finish" also comes when the last write failed.
    if (connection.failed) transfer.abort();
    connection.idle();
    transfer.ended(!transfer.gone);
    this.#report(transfer);
    if (this.closing && connection.queue.length === 0) connection.end();
    else connection.queue.shift()?.();
    if (connection.queue.length < this.#limits.pipelined) connection.release();
  }

  #report(transfer: Transfer): void {
    const exchange = exchangeOf(transfer);
    if (exchange === null || transfer.reported) return;
    transfer.reported = true;
    this.#events.finished?.(exchange);
  }
}

/** What is known of a transfer now; null before there is a reply. */
function exchangeOf(
  { request, reply, bytesSent, gone: aborted }: Transfer,
): FinishedExchange | null {
  if (reply === null) return null;
  return { request, reply, bytesSent, durationMs: performance.now() - request.startedAt, aborted };
}

/**
 * The status for an error of the parser: 414 when the request line is too large, 431 when the head is,
 * 505 for HTTP/2 without negotiation, else 400; null when the connection broke, so that nobody waits
 * for an answer.
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

/** The text of a whole reply, for a socket that has no parsed request to reply to. `message` is ASCII. */
function bareReply(status: number, message?: string): string {
  const line = `${status} ${statusPhrases[status] ?? ""}`;
  const text = message ?? line;
  return `HTTP/1.1 ${line}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
    Object.entries(SECURE_HEADERS).map(([name, value]) => `${name}: ${value}\r\n`).join("") +
    `Content-Length: ${text.length + 1}\r\nConnection: close\r\n\r\n${text}\n`;
}

/**
 * Stops the runtime from parsing what comes over a socket.
 *
 * When a request cannot be parsed, Deno 2.9.6 reuses the parser for another connection, but the `data`
 * and `end` listeners of this socket still feed the same parser: what this client sends would become
 * part of another client's request. `tests/unit/http/runtime_parser_test.ts` demonstrates the fault.
 */
function stopParsing(socket: Socket): void {
  socket.removeAllListeners("data");
  socket.removeAllListeners("end");
}

const FAILED = textReply(
  500,
  "The server could not answer because of an error, which is in its log.",
);
