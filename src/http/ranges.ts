/** Range requests (RFC 9110 §14). */

import parseRange from "range-parser";

/** Bytes `start` to `end`, both included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** More ranges in one request than any client needs; such a request gets the whole file (§17.15). */
const MAX_RANGES = 64;

/** `first-last`, `first-` or `-suffix` (§14.1.2). */
const rangeSpec = /^(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))$/;

/**
 * The ranges that a `Range` field asks for, overlapping and adjacent ones combined.
 *
 * @param size of the representation, in bytes.
 * @returns null when the field is to be ignored: another unit than bytes, not well-formed, or more
 * ranges than anybody needs; `"unsatisfiable"` when none of them has a byte in it (416).
 */
export function parseRanges(
  field: string,
  size: number,
): readonly ByteRange[] | "unsatisfiable" | null {
  const prefix = /^\s*bytes\s*=/i.exec(field)?.[0];
  if (prefix === undefined) return null;
  const specs = field.slice(prefix.length).split(",", MAX_RANGES + 1);
  if (specs.length > MAX_RANGES) return null;
  const clamped: string[] = [];
  for (const raw of specs) {
    const spec = raw.trim();
    // An empty element of a list is no error (§5.6.1.2).
    if (spec === "") continue;
    const match = rangeSpec.exec(spec);
    if (match === null) return null;
    const [, first, last, suffix] = match;
    if (last !== undefined && Number(last) < Number(first)) return null;
    // A suffix that is longer than the file means the whole file; the library takes it for none.
    clamped.push(suffix === undefined ? spec : `-${Math.min(Number(suffix), size)}`);
  }
  if (clamped.length === 0) return null;
  const ranges = parseRange(size, `bytes=${clamped.join(",")}`, { combine: true });
  if (ranges === -1) return "unsatisfiable";
  if (ranges === -2) return null;
  return ranges.map(({ start, end }) => ({ start, end }));
}

/** `Content-Range` of a part: `bytes 0-9/100`. */
export function contentRange({ start, end }: ByteRange, size: number): string {
  return `bytes ${start}-${end}/${size}`;
}
