/**
 * Checks of a request's head in addition to those of the parser of `node:http` (which refuses bare
 * LF, folded lines, forbidden bytes, ambiguous lengths, and `Content-Length` together with
 * `Transfer-Encoding`).
 */

import type { IncomingMessage } from "node:http";
import type { Reply } from "./exchange.ts";
import type { ListenerLimits } from "./limits.ts";
import { textReply } from "./replies.ts";

/** The parts of a head that the listener needs. */
export interface Head {
  /** In origin form: `/path?query`; or `*`, with OPTIONS only. */
  readonly target: string;
  /** The authority of a target in absolute form, which replaces `Host` (RFC 9112 §3.2.2); else null. */
  readonly authority: string | null;
  /** True when a body may follow. */
  readonly hasBody: boolean;
}

const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%!$&'()*+,;=-]*)(?::[0-9]*)?$/;
const ABSOLUTE = /^https?:\/\/([^/?#]+)([/?].*)?$/i;

/** Checks a head; returns its parts, or a reply that says what is wrong. */
export function examineHead(message: IncomingMessage, limits: ListenerLimits): Head | Reply {
  const url = message.url ?? "";
  if (url.length > limits.targetLength) return textReply(414, "The request target is too long.");
  if (message.httpVersionMajor !== 1) return textReply(505, "This server speaks HTTP/1.1.");
  const { rawHeaders } = message;
  if (rawHeaders.length > 2 * limits.headerCount) return textReply(431, "Too many header fields.");

  let hosts = 0;
  let hasBody = false;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const value = rawHeaders[index + 1] as string;
    // Comparing lengths first is faster: it rules out most fields without comparing letters.
    if (name.length === 4 && name.toLowerCase() === "host") {
      hosts++;
      if (!HOST.test(value)) return textReply(400, "The Host field is malformed.");
    } else if (name.length === 14 && name.toLowerCase() === "content-length") {
      if (value !== "0") hasBody = true;
    } else if (name.length === 6 && name.toLowerCase() === "expect") {
      if (value.toLowerCase() !== "100-continue") {
        return textReply(417, "This server supports no other expectation than 100-continue.");
      }
    } else if (name.length === 17 && name.toLowerCase() === "transfer-encoding") {
      if (message.httpVersionMinor === 0) {
        return textReply(400, "HTTP/1.0 does not permit Transfer-Encoding.");
      }
      if (value.toLowerCase() !== "chunked") {
        return textReply(501, "This server supports no other transfer coding than chunked.");
      }
      hasBody = true;
    }
  }
  if (hosts > 1) return textReply(400, "There is more than one Host field.");
  if (hosts === 0 && message.httpVersionMinor > 0) {
    return textReply(400, "The Host field is missing.");
  }

  if (url.charCodeAt(0) === 0x2f) return { target: url, authority: null, hasBody };
  if (url === "*" && message.method === "OPTIONS") return { target: url, authority: null, hasBody };
  const absolute = ABSOLUTE.exec(url);
  const authority = absolute?.[1] ?? "";
  if (authority === "" || !HOST.test(authority)) {
    return textReply(400, "The request target is malformed.");
  }
  const path = absolute?.[2] ?? "/";
  return { target: path.startsWith("/") ? path : `/${path}`, authority, hasBody };
}

/** True when {@link examineHead} refused. */
export function isRefusal(head: Head | Reply): head is Reply {
  return "status" in head;
}
