/** Entity tags (RFC 9110 §8.8.3). */

/** The properties of a file that its tag is made of. */
interface Tagged {
  /** In bytes. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly inode: number;
}

/**
 * A strong entity tag for a file, with its quotes.
 *
 * The inode is included because a file that is renamed into place, as pacman does, may have the same
 * time and size as the file that it replaces.
 */
export function etagOf(file: Tagged): string {
  return `"${file.modified.toString(36)}-${file.size.toString(36)}-${file.inode.toString(36)}"`;
}

/** A tag in a list, such as `W/"abc"`. */
const tagPattern = /(?:W\/)?"[\x21\x23-\x7e\x80-\uffff]*"/g;

/** True when the list of `If-None-Match` has the tag, by weak comparison (RFC 9110 §8.8.3.2). */
export function listHasWeakly(list: string, etag: string): boolean {
  if (list.trim() === "*") return true;
  const opaque = etag.replace(/^W\//, "");
  return list.match(tagPattern)?.some((tag) => tag.replace(/^W\//, "") === opaque) ?? false;
}

/** True when the list of `If-Match` has the tag, by strong comparison: a weak tag is never equal. */
export function listHasStrongly(list: string, etag: string): boolean {
  if (list.trim() === "*") return true;
  return list.match(tagPattern)?.some((tag) => isStronglyEqual(tag, etag)) ?? false;
}

/** Strong comparison of two tags. */
export function isStronglyEqual(a: string, b: string): boolean {
  return a === b && !a.startsWith("W/");
}
