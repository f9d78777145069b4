/**
 * Passes a file of a mirror on that pacman cannot be redirected to.
 *
 * libcurl does not send credentials that stand in a redirect's `Location` to another host, port or
 * scheme than the first (CURLOPT_UNRESTRICTED_AUTH), so a redirect to a mirror with credentials
 * would end in 401. The file goes through us instead, and the credentials stay here.
 */

import type { HttpRequest, Reply, ReplyHeaders } from "../http/exchange.ts";
import { requestMirror } from "./mirror_request.ts";
import type { MirrorChoice } from "./mirrors.ts";

/** What of pacman's request the mirror needs: resumed downloads and conditional ones (RFC 9110). */
const PASSED_TO_MIRROR = [
  "range",
  "if-range",
  "if-modified-since",
  "if-none-match",
  "if-unmodified-since",
  "if-match",
];

/** What of the mirror's response is about the file. */
const PASSED_TO_CLIENT = [
  "Content-Type",
  "Content-Length",
  "Content-Range",
  "Accept-Ranges",
  "Last-Modified",
  "ETag",
];

/** Statuses that say something about the file; every other one means that it cannot be had. */
const PASSED_STATUSES: readonly number[] = [200, 206, 304, 412, 416];

/** The longest (ms) until the mirror begins to answer. */
const RESPONSE_TIMEOUT = 8_000;

/**
 * The reply with the mirror's file.
 *
 * @returns null when the mirror does not give it.
 */
export async function relay(
  choice: MirrorChoice,
  request: HttpRequest,
  via: string,
  isSelf: (url: URL) => boolean,
): Promise<Reply | null> {
  const headers: Record<string, string> = {};
  for (const name of PASSED_TO_MIRROR) {
    const value = request.headers[name];
    if (value !== undefined) headers[name] = value;
  }
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), RESPONSE_TIMEOUT);
  try {
    const response = await requestMirror(choice.url, {
      method: request.method,
      headers,
      via,
      isSelf,
      signal: AbortSignal.any([request.signal, patience.signal]),
    });
    if (!PASSED_STATUSES.includes(response.status)) {
      await response.body?.cancel();
      return null;
    }
    return {
      status: response.status,
      headers: headersOf(response),
      body: response.body,
      source: `mirror ${choice.origin}`,
    };
  } catch {
    // The check has said why, or will say so with the next request; this file cannot be had here.
    return null;
  } finally {
    clearTimeout(timer);
  }
}

function headersOf(response: Response): ReplyHeaders {
  const headers: ReplyHeaders = {
    "Cache-Control": "no-store",
    // A mirror's page is no more trusted than a file of ours.
    "Content-Security-Policy": "sandbox",
  };
  // A coding that we did not ask for was undone on the way here: the length is another.
  const isDecoded = response.headers.has("Content-Encoding");
  for (const name of PASSED_TO_CLIENT) {
    const value = response.headers.get(name);
    if (value !== null && !(isDecoded && name === "Content-Length")) headers[name] = value;
  }
  return headers;
}
