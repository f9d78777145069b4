/** Recognizes uploads among the requests. */

import type { HttpRequest } from "../../http/exchange.ts";

/** True for a PUT, and for a POST of a form with files. Other POSTs are messages between peers. */
export function isUpload(request: HttpRequest): boolean {
  return request.method === "PUT" || request.method === "POST" && isForm(request);
}

/**
 * True for an upload, and for an empty POST: with `curl --digest -F`, curl sends one first to get the login
 * challenge, so that it does not send its files twice. Messages between peers are never empty.
 */
export function announcesUpload(request: HttpRequest): boolean {
  return isUpload(request) || request.method === "POST" && declaredLength(request) === 0;
}

/** True when the body is a form with files (RFC 7578). */
export function isForm(request: HttpRequest): boolean {
  return /^multipart\/form-data[ \t]*(?:;|$)/i.test(request.headers["content-type"] ?? "");
}

/** Returns the `Content-Length`; null when the client did not send it. */
export function declaredLength(request: HttpRequest): number | null {
  const length = request.headers["content-length"];
  return length === undefined || !/^\d+$/.test(length) ? null : Number(length);
}
