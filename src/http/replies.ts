/**
 * Small replies: a line of text, JSON, a redirect, 304 Not Modified.
 *
 * They set no `Content-Length` and do not depend on the method: `send.ts` handles both.
 */

import { statusPhrases } from "../std.ts";
import type { Reply, ReplyHeaders } from "./exchange.ts";

const encoder = new TextEncoder();

/**
 * A reply whose body is a line of text; by default the status and its reason phrase.
 *
 * `textReply(404)` has the body `404 Not Found`.
 */
export function textReply(
  status: number,
  text: string = `${status} ${statusPhrases[status] ?? ""}`.trim(),
  headers: ReplyHeaders = {},
): Reply {
  return contentReply(status, "text/plain; charset=UTF-8", `${text}\n`, headers);
}

/** A reply whose body is data as JSON on one line. */
export function jsonReply(status: number, data: unknown, headers: ReplyHeaders = {}): Reply {
  return contentReply(status, "application/json", `${JSON.stringify(data)}\n`, headers);
}

/** A reply with content of a media type; text is sent as UTF-8. */
export function contentReply(
  status: number,
  contentType: string,
  content: string | Uint8Array,
  headers: ReplyHeaders = {},
): Reply {
  const body = typeof content === "string" ? encoder.encode(content) : content;
  return { status, headers: { "Content-Type": contentType, ...headers }, body };
}

/**
 * A redirect to the place where a file is at this moment. Clients must not cache it, so that they ask
 * here again for the next request.
 */
export function redirectReply(location: string): Reply {
  return { status: 307, headers: { Location: location, "Cache-Control": "no-store" }, body: null };
}

/**
 * A 304: the client has the current representation already (RFC 9110 §15.4.5).
 *
 * @param headers of the reply that would carry the representation.
 */
export function notModified(headers: ReplyHeaders): Reply {
  const { "Content-Length": _length, "Content-Type": _type, ...rest } = headers;
  return { status: 304, headers: rest, body: null };
}
