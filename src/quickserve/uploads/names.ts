/** The names that clients may give to uploads: names, never paths. */

import { isUploadTemporary } from "./temporary.ts";

/** Longest name in bytes (NAME_MAX of Linux). */
const MAX_NAME_BYTES = 255;

/**
 * Why a file cannot be stored under this name, in a sentence; null when it can.
 *
 * A name with a slash or a backslash is refused, not shortened to its last part: {@link partsOfPath} takes
 * paths apart.
 */
export function uploadNameProblem(name: string, showHidden: boolean): string | null {
  if (name.trim() === "") return "The file has no name.";
  if (/[/\\]/.test(name)) {
    return "The name is a path; a name without slashes and backslashes is needed.";
  }
  if (name === "." || name === "..") return "The name stands for a directory.";
  // Marks that turn the direction of writing can show `gpj.exe` as `exe.jpg`.
  if (/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(name)) {
    return "The name has control characters in it.";
  }
  if (/[\ufffd\ud800-\udfff]/u.test(name)) return "The name is not written in UTF-8.";
  if (byteLength(name) > MAX_NAME_BYTES) {
    return `The name is longer than ${MAX_NAME_BYTES} bytes.`;
  }
  if (isUploadTemporary(name)) return "The name is one that this server keeps for itself.";
  if (name.startsWith(".") && !showHidden) {
    return "The name begins with a dot, and this server shares no hidden files.";
  }
  return null;
}

/**
 * The names in the path of a file in a form, which a browser sends for the files of a directory:
 * `holiday/day 1/photo.jpg`. An absolute path gives an empty name, which cannot be stored.
 */
export function partsOfPath(path: string): [directories: string[], name: string] {
  const parts = path.split("/");
  const name = parts.pop() ?? "";
  return [parts, name];
}

/**
 * The end of a name that says what the file is: `.jpg`, `.tar.gz`, `.pkg.tar.zst`. It has a letter in it:
 * that of `foo-1.2` is a number.
 */
const TYPE = /(?:\.pkg)?(?:\.tar)?\.(?=[a-z0-9]*[a-z])[a-z0-9]{1,10}$/i;

/**
 * The name to take where this one is taken: `photo.1.jpg`, `photo.2.jpg`…, `notes.1`; 0 is the name
 * itself. Null when it would be too long.
 */
export function numberedName(name: string, number: number): string | null {
  if (number === 0) return name;
  const type = TYPE.exec(name);
  // What begins with a dot is hidden, and has no type.
  const at = type === null || type.index === 0 ? name.length : type.index;
  const numbered = `${name.slice(0, at)}.${number}${name.slice(at)}`;
  return byteLength(numbered) > MAX_NAME_BYTES ? null : numbered;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
