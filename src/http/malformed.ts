/** The answer to what the parser of `node:http` could not take for a request. */

import { statusText } from "../std.ts";
import { SECURE_HEADERS } from "./secure_headers.ts";

/** Why a parser gave up. */
export interface ParseError extends Error {
  readonly code?: string;
  /** The bytes that it was looking at. */
  readonly rawPacket?: Uint8Array;
}

/**
 * The status for a parser's error: 431 for a head that is too large (414 where already the request
 * line is), 505 for HTTP/2 without negotiation, else 400; null when the connection broke and nobody
 * waits for an answer.
 */
export function statusOf(error: ParseError): number | null {
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
export function bareReply(status: number): string {
  const text = `${status} ${statusText[status] ?? ""}`;
  return `HTTP/1.1 ${text}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
    Object.entries(SECURE_HEADERS).map(([name, value]) => `${name}: ${value}\r\n`).join("") +
    `Content-Length: ${text.length + 1}\r\nConnection: close\r\n\r\n${text}\n`;
}
