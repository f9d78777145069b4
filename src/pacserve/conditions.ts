/** Conditions of requests that a mirror judges: those for databases (RFC 9110 §13). */

import type { HttpRequest } from "../http/exchange.ts";
import { isPackageOrItsSignature } from "./address.ts";

const CONDITIONS: Readonly<Record<string, string>> = {
  "if-modified-since": "If-Modified-Since",
  "if-none-match": "If-None-Match",
};

/**
 * The conditions of a request for a file, as header fields. A package never changes under its name, so
 * only what is said of other files is passed on.
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

/** A request for a file, whatever version of it the client has. */
export function unconditional(request: HttpRequest): HttpRequest {
  const { method, target, body, connection, signal } = request;
  const none = Object.fromEntries(Object.keys(CONDITIONS).map((name) => [name, undefined]));
  return { method, target, headers: { ...request.headers, ...none }, body, connection, signal };
}
