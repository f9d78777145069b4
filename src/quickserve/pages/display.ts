/** Formats sizes, times and names for readers. */

/**
 * Matches characters that have an effect instead of a shape: control characters (C0, DEL and C1), line and
 * paragraph separators, and characters that change the direction of writing.
 */
const invisible = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
const invisibles = new RegExp(invisible, "gu");

/**
 * Returns a text with its invisible characters as escapes: a line feed becomes `\n`, an escape `\x1b`, a
 * character that changes the direction of writing `\u202e`. Other characters, also backslashes, are not
 * changed.
 */
export function visibleText(text: string): string {
  if (!invisible.test(text)) return text;
  return text.replace(invisibles, (character) => {
    if (character === "\n") return "\\n";
    if (character === "\t") return "\\t";
    if (character === "\r") return "\\r";
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? "\\u" + code.padStart(4, "0") : "\\x" + code.padStart(2, "0");
  });
}

/** Returns JSON with its invisible characters as escapes. Its meaning is the same. */
export function escapeJson(text: string): string {
  return text.replace(
    invisibles,
    (character) =>
      character < " " ? character : "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}

const units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/** Formats a size with at most one decimal place: `999 B`, `1.5 KiB`, `12.3 MiB`, `512 GiB`. */
export function humanSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  let value = bytes;
  let unit = "B";
  for (const next of units) {
    value /= 1024;
    unit = next;
    if (value < 999.5) break;
  }
  return `${value.toFixed(value < 99.95 ? 1 : 0)} ${unit}`;
}

/** Formats a whole number with its digits in groups: `1,234,567`. */
export function groupDigits(value: number): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** Formats the exact size: `1,234,567 bytes`. */
export function exactSize(bytes: number): string {
  return bytes === 1 ? "1 byte" : `${groupDigits(bytes)} bytes`;
}

/** Formats a number with its noun: `1 file`, `2 files`. */
export function count(number: number, one: string, many: string = one + "s"): string {
  return `${groupDigits(number)} ${number === 1 ? one : many}`;
}

/** The latest time that JavaScript and HTML can represent (ECMA-262 §21.4.1.1). */
const MAX_TIME = 8.64e15;

/**
 * Formats a time (milliseconds since 1970) to the second in ISO 8601 and UTC: `2026-11-22T22:05:24Z`. Null
 * for a time whose year does not have four digits; a broken clock may leave such a time on a file.
 */
export function isoTime(time: number): string | null {
  if (!(Math.abs(time) <= MAX_TIME)) return null;
  const text = new Date(Math.floor(time / 1000) * 1000).toISOString();
  return text.length === 24 ? text.slice(0, 19) + "Z" : null;
}

/** Formats an ISO time to the minute in UTC for a table: `2026-11-22 22:05`. */
export function shortTime(iso: string): string {
  return iso.slice(0, 10) + " " + iso.slice(11, 16);
}

/** Formats a duration in seconds: `3 s`, `5 min`, `2 h`, `4 d`. */
export function humanDuration(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** Returns the file extension of an archive format of `--tar`, without a dot: `tar` for `none`. */
export function archiveLabel(format: string): string {
  return format === "zip" ? "zip" : format === "none" ? "tar" : `tar.${format}`;
}
