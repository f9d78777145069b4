/** Conditional header fields of requests (RFC 9110 §13), which are sent to mirrors for databases. */

import type { HttpRequest } from "../http/exchange.ts";
import { isPackageOrItsSignature } from "./address.ts";

const CONDITIONS: Readonly<Record<string, string>> = {
  "if-modified-since": "If-Modified-Since",
  "if-none-match": "If-None-Match",
};

/**
 * Returns the conditional header fields of a request, to send them to a mirror. For a package there are
 * none, because it never changes.
 */
export function conditionsOf(
  { headers }: HttpRequest,
  file: string,
): Readonly<Record<string, string>> {
  if (isPackageOrItsSignature(file)) return {};
  const conditions: Record<string, string> = {};
  for (const [field, name] of Object.entries(CONDITIONS)) {
    const value = headers[field];
    if (value !== undefined) conditions[name] = value;
  }
  return conditions;
}

/** Returns the request without its conditions, so that the answer is not 304. */
export function unconditional(request: HttpRequest): HttpRequest {
  const { method, target, body, connection, signal } = request;
  const none = Object.fromEntries(Object.keys(CONDITIONS).map((name) => [name, undefined]));
  return { method, target, headers: { ...request.headers, ...none }, body, connection, signal };
}
