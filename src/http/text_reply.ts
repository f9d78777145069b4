/** Replies that are one line of text. */

import { statusText } from "../std.ts";
import type { Reply, ReplyHeaders } from "./exchange.ts";

const encoder = new TextEncoder();

/**
 * A reply whose body is a line of text: the status and its reason phrase, unless another is given.
 * The listener leaves the body away where the request was HEAD.
 */
export function textReply(
  status: number,
  text: string = `${status} ${statusText[status] ?? ""}`.trim(),
  headers: ReplyHeaders = {},
): Reply {
  const body = encoder.encode(text + "\n");
  return {
    status,
    headers: {
      "Content-Type": "text/plain; charset=UTF-8",
      "Content-Length": String(body.length),
      ...headers,
    },
    body,
  };
}
