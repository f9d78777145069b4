/** Which requests are uploads. */

import type { HttpRequest } from "../../http/exchange.ts";

/** True for a PUT, and for a POST of a form with files. Other POSTs are messages between peers. */
export function isUpload(request: HttpRequest): boolean {
  return request.method === "PUT" || request.method === "POST" && isForm(request);
}

/** True when the body is a form with files (RFC 7578). */
export function isForm(request: HttpRequest): boolean {
  return /^multipart\/form-data[ \t]*(?:;|$)/i.test(request.headers["content-type"] ?? "");
}

/** The `Content-Length`; null when the client did not say it. */
export function declaredLength(request: HttpRequest): number | null {
  const length = request.headers["content-length"];
  return length === undefined || !/^\d+$/.test(length) ? null : Number(length);
}
