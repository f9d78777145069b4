/** Conditional requests (RFC 9110 §13). */

import type { RequestHeaders } from "./exchange.ts";
import { isStronglyEqual, listHasStrongly, listHasWeakly } from "./etag.ts";
import { parseHttpDate } from "./http_date.ts";

/** The validators of a representation. */
interface Validators {
  /** The entity tag with its quotes. */
  readonly etag: string;
  /** The time in `Last-Modified`: milliseconds since 1970, a whole second. */
  readonly lastModified: number;
}

/** True when a request has a conditional header field. `If-Range` does not count: it needs a range. */
export function hasConditions(headers: RequestHeaders): boolean {
  return headers["if-none-match"] !== undefined || headers["if-modified-since"] !== undefined ||
    headers["if-match"] !== undefined || headers["if-unmodified-since"] !== undefined;
}

/**
 * Evaluates the conditions of a GET or HEAD request in the order of RFC 9110 §13.2.2.
 *
 * @param now milliseconds since 1970.
 * @returns the status 412 or 304 when a condition decides the reply, else null.
 */
export function evaluateConditions(
  headers: RequestHeaders,
  { etag, lastModified }: Validators,
  now: number,
): 304 | 412 | null {
  const ifMatch = headers["if-match"];
  if (ifMatch !== undefined) {
    if (!listHasStrongly(ifMatch, etag)) return 412;
  } else {
    const unmodifiedSince = parseOptionalDate(headers["if-unmodified-since"], now);
    if (unmodifiedSince !== null && lastModified > unmodifiedSince) return 412;
  }
  const ifNoneMatch = headers["if-none-match"];
  if (ifNoneMatch !== undefined) return listHasWeakly(ifNoneMatch, etag) ? 304 : null;
  const modifiedSince = parseOptionalDate(headers["if-modified-since"], now);
  return modifiedSince !== null && lastModified <= modifiedSince ? 304 : null;
}

/**
 * True when the `Range` field is to be honoured: there is no `If-Range`, or `If-Range` names the
 * current representation (RFC 9110 §13.1.5). A date in `If-Range` must be the exact modification
 * time, and at least a second ago: a file can change twice within the same second (§8.8.2.2).
 */
export function isRangeWanted(
  headers: RequestHeaders,
  { etag, lastModified }: Validators,
  now: number,
): boolean {
  const ifRange = headers["if-range"]?.trim();
  if (ifRange === undefined) return true;
  if (ifRange.includes('"')) return isStronglyEqual(ifRange, etag);
  return parseHttpDate(ifRange, now) === lastModified && now - lastModified >= 1000;
}

function parseOptionalDate(text: string | undefined, now: number): number | null {
  return text === undefined ? null : parseHttpDate(text.trim(), now);
}
