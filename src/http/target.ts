/** Parses request targets (RFC 9112 §3.2, RFC 3986 §3). */

/** A request target after decoding. */
export interface Target {
  /**
   * The decoded segments of the path: `/pkg//a%20b/` gives `["pkg", "a b"]`. Empty segments and `.`
   * are left out (RFC 3986 §5.2.4). No segment is `..` or contains a slash or a NUL.
   */
  readonly segments: readonly string[];
  /** True when the path ends with a slash, and therefore means a directory. */
  readonly trailingSlash: boolean;
  /** The query, without its `?`; empty when there is none. */
  readonly search: string;
}

/**
 * Parses a request target.
 *
 * @returns null when it is malformed: not in origin form, a broken percent-encoding, bytes that are
 * not UTF-8, a NUL, an encoded slash, or a segment `..` in any encoding.
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

/** True for the segment `.`, in any encoding (RFC 3986 §6.2.2.2). */
function isDot(segment: string): boolean {
  return segment === "." || /^%2e$/i.test(segment);
}

/** True when a path ends with a slash, or with the segment `.`. */
function isDirectoryPath(path: string): boolean {
  return path.endsWith("/") || isDot(path.slice(path.lastIndexOf("/") + 1));
}

/**
 * Decodes one segment of a path.
 *
 * @returns null when it is `.`, or malformed as {@link parseTarget} says.
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
 * The encoded path of a URL. Each segment is encoded by `encodeURIComponent`, with two exceptions: the
 * `:`, `@` and `+` of package names stay as they are, and `'` becomes `%27`, because lftp takes a `'`
 * in a quoted attribute of a page for the end of the attribute.
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
