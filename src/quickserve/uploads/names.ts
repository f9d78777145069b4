/** Checks the names that clients give to uploads. */

import { isUploadTemporary } from "./temporary.ts";

/** Longest name in bytes (NAME_MAX of Linux). */
const MAX_NAME_BYTES = 255;

/**
 * Returns a sentence that says why a file cannot be stored under this name; null when it can.
 *
 * A name with a slash or a backslash is refused, not shortened to its last part; {@link partsOfPath} splits
 * paths.
 */
export function uploadNameProblem(name: string, showHidden: boolean): string | null {
  if (name.trim() === "") return "The file has no name.";
  if (/[/\\]/.test(name)) {
    return "The name is a path: use a name without slashes and backslashes.";
  }
  if (name === "." || name === "..") {
    return "The name refers to a directory.";
  }
  // Marks that change the direction of writing can show `gpj.exe` as `exe.jpg`.
  if (/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(name)) {
    return "The name contains control characters.";
  }
  if (/[\ufffd\ud800-\udfff]/u.test(name)) return "The name is not written in UTF-8.";
  if (byteLength(name) > MAX_NAME_BYTES) {
    return `The name is longer than ${MAX_NAME_BYTES} bytes.`;
  }
  if (isUploadTemporary(name)) {
    return "The server uses this name for unfinished uploads: choose another name.";
  }
  if (name.startsWith(".") && !showHidden) {
    return "The name begins with a dot, and this server does not share hidden files.";
  }
  return null;
}

/**
 * Splits the path of a file in a form. A browser sends such paths when the user uploads a directory:
 * `holiday/day 1/photo.jpg`. An absolute path results in an empty name, which is refused later.
 */
export function partsOfPath(path: string): [directories: string[], name: string] {
  const parts = path.split("/");
  const name = parts.pop() ?? "";
  return [parts, name];
}

/**
 * Matches the end of a name that shows the type of the file: `.jpg`, `.tar.gz`, `.pkg.tar.zst`. It must
 * contain a letter, because the `.2` of `foo-1.2` is a part of a version.
 */
const TYPE = /(?:\.pkg)?(?:\.tar)?\.(?=[a-z0-9]*[a-z])[a-z0-9]{1,10}$/i;

/**
 * Returns the name with a number, for use when the name is taken: `photo.1.jpg`, `photo.2.jpg`…, `notes.1`.
 * For 0 it returns the name unchanged. A name that would be too long loses letters before the number.
 */
export function numberedName(name: string, number: number): string {
  if (number === 0) return name;
  const type = TYPE.exec(name);
  // A name like `.jpg` is a hidden file without a type.
  const at = type === null || type.index === 0 ? name.length : type.index;
  const end = `.${number}${name.slice(at)}`;
  const letters = [...name.slice(0, at)];
  while (byteLength(letters.join("") + end) > MAX_NAME_BYTES) letters.pop();
  return letters.join("") + end;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
