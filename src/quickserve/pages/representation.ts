/** Which form of a page a client wants: HTML, JSON or plain text (RFC 9110 §12.5.1). */

import type { HttpRequest } from "../../http/exchange.ts";
import { accepts } from "../../std.ts";

/** A form of a page. */
export type Representation = "html" | "json" | "text";

const byType: Readonly<Record<string, Representation>> = {
  "text/html": "html",
  "application/json": "json",
  "text/plain": "text",
};

/** The media types on offer, for a 406. */
export const offeredTypes: readonly string[] = Object.keys(byType);

/** What decides about the form of a page besides its address: the value of its `Vary`. */
export const variesBy = "Accept, User-Agent";

/**
 * The form that a request asks for: by `?mimetype=` in its address, else by its `Accept` field. A
 * client that accepts any type gets HTML, because crawlers (`wget -r`) and browsers need it; but curl,
 * whose output goes to a terminal, gets text.
 *
 * @returns null when there is no such form: the answer is 406.
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

/** True when a request comes from a program that shows HTML: its `Accept` names it. */
export function isBrowser(request: Pick<HttpRequest, "headers">): boolean {
  return request.headers["accept"]?.includes("text/html") ?? false;
}
