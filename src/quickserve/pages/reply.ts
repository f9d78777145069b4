/** The replies with pages. */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { HttpRequest, Reply, ReplyHeaders } from "../../http/exchange.ts";
import { notModified } from "../../http/replies.ts";
import { listHasWeakly } from "../../http/etag.ts";
import type { Slices } from "../turns.ts";
import { type Representation, variesBy } from "./representation.ts";

const encoder = new TextEncoder();

/**
 * The policy of the server's pages. A page may load the server's style and scripts, and send forms and
 * requests to the server. No site may show it in a frame. Inline scripts and styles never run, even if an
 * attacker gets one into a page.
 */
const pagePolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const contentTypes: Readonly<Record<Representation, string>> = {
  html: "text/html; charset=UTF-8",
  json: "application/json",
  text: "text/plain; charset=UTF-8",
};

/** The status and further header fields of a page. */
interface PageOptions {
  readonly status?: number;
  readonly headers?: ReplyHeaders;
}

/** Pages up to this many bytes are sent in one piece. */
const ONE_PIECE = 256 * 1024;

/**
 * Returns a reply with a page in one of its representations. A page of status 200 has an entity tag; the
 * reply to a conditional request is 304 if the page has not changed.
 */
export function pageReply(
  request: Pick<HttpRequest, "method" | "headers">,
  form: Representation,
  text: string,
  options: PageOptions = {},
): Reply {
  const page = encoder.encode(text);
  const hash = createHash("sha256").update(page);
  return replyWith(request, form, [page], hash.digest("base64url"), options);
}

/**
 * Does the same as {@link pageReply} for a long page, with pauses for other work.
 *
 * @param text the pieces of the page, which is never in memory as one string.
 */
export async function longPageReply(
  request: Pick<HttpRequest, "method" | "headers">,
  form: Representation,
  text: Iterable<string>,
  slices: Slices,
): Promise<Reply> {
  const pieces: Uint8Array[] = [];
  const hash = createHash("sha256");
  for (const part of text) {
    const piece = encoder.encode(part);
    hash.update(piece);
    pieces.push(piece);
    await slices.next();
  }
  return replyWith(request, form, pieces, hash.digest("base64url"));
}

/** @param hash of the whole page. */
function replyWith(
  request: Pick<HttpRequest, "method" | "headers">,
  form: Representation,
  pieces: readonly Uint8Array[],
  hash: string,
  { status = 200, headers = {} }: PageOptions = {},
): Reply {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const all: ReplyHeaders = {
    "Content-Type": contentTypes[form],
    // The listener computes the length only for a body in one piece.
    ...(length > ONE_PIECE ? { "Content-Length": String(length) } : {}),
    "Cache-Control": "no-cache",
    "Content-Security-Policy": pagePolicy,
    // With `no-referrer` a form would be sent with `Origin: null`, as if it came from another site.
    "Referrer-Policy": "same-origin",
    Vary: variesBy,
    ...headers,
  };
  if (status === 200 && (request.method === "GET" || request.method === "HEAD")) {
    const etag = `"${hash.slice(0, 22)}"`;
    all["ETag"] = etag;
    const known = request.headers["if-none-match"];
    if (known !== undefined && listHasWeakly(known, etag)) {
      return notModified(all);
    }
  }
  return {
    status,
    headers: all,
    body: length > ONE_PIECE ? inPieces(pieces) : Buffer.concat(pieces, length),
  };
}

async function* inPieces(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}
