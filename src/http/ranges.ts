/** Range requests (RFC 9110 §14). */

import parseRange from "range-parser";

/** Bytes `start` to `end`, both included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** The most ranges that a request may ask for. With more it gets the whole file (§17.15). */
const MAX_RANGES = 64;

/** `first-last`, `first-` or `-suffix` (§14.1.2). */
const rangeSpec = /^(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))$/;

/**
 * Parses a `Range` field. Overlapping and adjacent ranges are combined.
 *
 * @param size of the representation, in bytes.
 * @returns null when the field must be ignored: its unit is not bytes, it is malformed, or it has
 * too many ranges; `"unsatisfiable"` when no range overlaps the representation (status 416).
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
    // A list may have empty elements (§5.6.1.2).
    if (spec === "") continue;
    const match = rangeSpec.exec(spec);
    if (match === null) return null;
    const [, first, last, suffix] = match;
    if (last !== undefined && Number(last) < Number(first)) return null;
    // A suffix longer than the file means the whole file, but the library takes it for unsatisfiable.
    clamped.push(suffix === undefined ? spec : `-${Math.min(Number(suffix), size)}`);
  }
  if (clamped.length === 0) return null;
  const ranges = parseRange(size, `bytes=${clamped.join(",")}`, { combine: true });
  if (ranges === -1) return "unsatisfiable";
  if (ranges === -2) return null;
  return ranges.map(({ start, end }) => ({ start, end }));
}

/** The `Content-Range` of a part: `bytes 0-9/100`. */
export function contentRange({ start, end }: ByteRange, size: number): string {
  return `bytes ${start}-${end}/${size}`;
}
