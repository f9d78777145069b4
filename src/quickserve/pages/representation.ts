/** Negotiates the representation of a page: HTML, JSON or plain text (RFC 9110 §12.5.1). */

import type { HttpRequest } from "../../http/exchange.ts";
import { accepts } from "../../std.ts";

/** A representation of a page. */
export type Representation = "html" | "json" | "text";

const byType: Readonly<Record<string, Representation>> = {
  "text/html": "html",
  "application/json": "json",
  "text/plain": "text",
};

/** The available media types, for a 406. */
export const offeredTypes: readonly string[] = Object.keys(byType);

/** The value of `Vary`: the header fields that decide about the representation of a page. */
export const variesBy = "Accept, User-Agent";

/**
 * Returns the representation that a request selects with `?mimetype=`, or else with its `Accept` field. A
 * client that accepts any type gets HTML, because crawlers (`wget -r`) and browsers need it; but curl gets
 * text, because it prints to a terminal.
 *
 * @returns null when there is no such representation: reply with 406.
 */
export function chooseRepresentation(
  request: Pick<HttpRequest, "headers">,
  parameters: URLSearchParams,
): Representation | null {
  const wanted = parameters.get("mimetype");
  if (wanted !== null) {
    const essence = wanted.split(";", 1)[0]?.trim().toLowerCase() ?? "";
    return Object.hasOwn(byType, essence) ? byType[essence] ?? null : null;
  }
  const isCurl = request.headers["user-agent"]?.startsWith("curl/") ?? false;
  const order = isCurl ? [...offeredTypes].reverse() : offeredTypes;
  const accept = request.headers["accept"];
  const headers = new Headers(accept === undefined ? {} : { accept });
  const type = accepts({ headers }, ...order);
  return type === undefined ? null : byType[type] ?? null;
}

/** True when a request comes from a browser: its `Accept` names HTML. */
export function isBrowser(request: Pick<HttpRequest, "headers">): boolean {
  return request.headers["accept"]?.includes("text/html") ?? false;
}
