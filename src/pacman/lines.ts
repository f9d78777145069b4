/**
 * Splits a pacman.conf into lines, and parses them as pacman does (`parse_ini` in pacman's `ini.c`).
 *
 * Texts are "binary": they have one character for each byte (ISO 8859-1), so that comments in any
 * encoding are written back unchanged.
 */

/** A line and its line ending: `"\n"`, `"\r\n"`, or `""` for a last line without one. */
export interface Line {
  readonly content: string;
  readonly ending: string;
}

/** Decodes bytes into a text with one character for each byte. */
export function decodeBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** Encodes such a text into its bytes. */
export function encodeBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Splits a text into lines. {@link joinLines} gives the same text again. */
export function splitLines(text: string): Line[] {
  return (text.match(/[^\n]*\n|[^\n]+$/g) ?? []).map((line) => {
    const ending = /\r?\n$/.exec(line)?.[0] ?? "";
    return { content: line.slice(0, line.length - ending.length), ending };
  });
}

/** Joins lines into a text. */
export function joinLines(lines: readonly Line[]): string {
  return lines.map((line) => line.content + line.ending).join("");
}

/** The characters that pacman trims: those for which C's `isspace` is true. */
const SPACE = "[ \\t\\n\\v\\f\\r]*";
const SECTION = new RegExp(`^${SPACE}\\[(.+)\\]${SPACE}$`, "s");
const BLANK_OR_COMMENT = new RegExp(`^${SPACE}(#|$)`);
const DIRECTIVE = new RegExp(`^${SPACE}([^=]*?)${SPACE}(?:=${SPACE}(.*?)${SPACE})?$`, "s");

/** The name in a section header; null for any other line. */
function sectionName(content: string): string | null {
  return SECTION.exec(content)?.[1] ?? null;
}

/** The name in the section header of a repository; null for any other line. */
export function repositoryName(content: string): string | null {
  const name = sectionName(content);
  return name === "options" ? null : name;
}

/** Key and value of a directive; null for a section header, a comment or a blank line. */
export function directive(
  content: string,
): { readonly key: string; readonly value: string } | null {
  if (BLANK_OR_COMMENT.test(content) || sectionName(content) !== null) return null;
  const match = DIRECTIVE.exec(content);
  return match === null ? null : { key: match[1] ?? "", value: match[2] ?? "" };
}

/** The line ending of a text: `"\r\n"` if its first line has it, else `"\n"`. */
export function endingOf(lines: readonly Line[]): string {
  return lines[0]?.ending === "\r\n" ? "\r\n" : "\n";
}
