/** The request target, taken apart (RFC 9112 §3.2, RFC 3986 §3). */

/** A request target after decoding. */
export interface Target {
  /**
   * The decoded segments of the path, without empty ones: `/pkg//a%20b/` gives `["pkg", "a b"]`. No
   * segment is empty, `.` or `..`, and none has a slash or a NUL in it. A segment `.` means the
   * directory that it stands in, and is left out (RFC 3986 §5.2.4).
   */
  readonly segments: readonly string[];
  /** True when the path ends with a slash, as that of a directory does. */
  readonly trailingSlash: boolean;
  /** The query, without its `?`; empty when there is none. */
  readonly search: string;
}

/**
 * Takes a request target apart.
 *
 * @returns null when it is malformed: not in origin form, a broken percent-encoding, bytes that are
 * no UTF-8, a NUL, an encoded slash, or a segment `..` in any encoding.
 */
export function parseTarget(target: string): Target | null {
  if (target.charCodeAt(0) !== 0x2f) return null;
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const segments: string[] = [];
  for (const raw of path.split("/")) {
    if (raw === "" || isDot(raw)) continue;
    const segment = decodeSegment(raw);
    if (segment === null) return null;
    segments.push(segment);
  }
  return {
    segments,
    trailingSlash: isDirectoryPath(path),
    search: mark < 0 ? "" : target.slice(mark + 1),
  };
}

/** `.`, in any encoding (RFC 3986 §6.2.2.2). */
function isDot(segment: string): boolean {
  return segment === "." || /^%2e$/i.test(segment);
}

/** True when a path ends with a slash, or with a `.` that stands for the directory before it. */
function isDirectoryPath(path: string): boolean {
  return path.endsWith("/") || isDot(path.slice(path.lastIndexOf("/") + 1));
}

/**
 * Decodes one segment of a path.
 *
 * @returns null when it is `.`, or under the conditions of {@link parseTarget}.
 */
export function decodeSegment(raw: string): string | null {
  let segment = raw;
  if (raw.includes("%")) {
    try {
      segment = decodeURIComponent(raw);
    } catch {
      return null;
    }
  }
  if (segment === "." || segment === "..") return null;
  return segment.includes("/") || segment.includes("\0") ? null : segment;
}

/**
 * The path of a URL, encoded so that it survives every client: each segment by
 * `encodeURIComponent`, with the `:`, `@` and `+` of package names left as they are, and with `'` as
 * `%27`: in quoted attributes lftp takes it for their end.
 *
 * `encodePath(["pkg", "foo-1:2.0+r1-1-any"])` is `/pkg/foo-1:2.0+r1-1-any`.
 */
export function encodePath(segments: readonly string[]): string {
  return "/" + segments.map(encodeSegment).join("/");
}

/** Encodes one segment as {@link encodePath} does. */
export function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replace(
    /%3A|%40|%2B|'/g,
    (code) => code === "%3A" ? ":" : code === "%40" ? "@" : code === "'" ? "%27" : "+",
  );
}
