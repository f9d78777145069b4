/**
 * pacman.conf line by line, as pacman's own reader sees it (`parse_ini` in pacman's `ini.c`).
 *
 * Texts are "binary": one character for each byte (ISO 8859-1), so that a comment in any encoding
 * comes out as it went in.
 */

import { Buffer } from "node:buffer";

/** A line and what ends it: `"\n"`, `"\r\n"`, or `""` for a last line without an end. */
export interface Line {
  readonly content: string;
  readonly ending: string;
}

/** Text of one character for each byte. */
export function decodeBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** The bytes of such a text. */
export function encodeBytes(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

/** Splits a text into its lines. Their contents and endings, joined, are the text again. */
export function splitLines(text: string): Line[] {
  return (text.match(/[^\n]*\n|[^\n]+$/g) ?? []).map((line) => {
    const ending = /\r?\n$/.exec(line)?.[0] ?? "";
    return { content: line.slice(0, line.length - ending.length), ending };
  });
}

/** The text of these lines. */
export function joinLines(lines: readonly Line[]): string {
  return lines.map((line) => line.content + line.ending).join("");
}

/** What C's `isspace` takes for space, which is what pacman trims. */
const SPACE = "[ \\t\\n\\v\\f\\r]*";
const SECTION = new RegExp(`^${SPACE}\\[(.+)\\]${SPACE}$`, "s");
const BLANK_OR_COMMENT = new RegExp(`^${SPACE}(#|$)`);
const DIRECTIVE = new RegExp(`^${SPACE}([^=]*?)${SPACE}(?:=${SPACE}(.*?)${SPACE})?$`, "s");

/** The name of the section that a line begins; null when it begins none. */
function sectionName(content: string): string | null {
  return SECTION.exec(content)?.[1] ?? null;
}

/** The name of the repository whose section a line begins; null when it begins none. */
export function repositoryName(content: string): string | null {
  const name = sectionName(content);
  return name === "options" ? null : name;
}

/** Key and value of a directive; null for a section, a comment and a blank line. */
export function directive(
  content: string,
): { readonly key: string; readonly value: string } | null {
  if (BLANK_OR_COMMENT.test(content) || sectionName(content) !== null) return null;
  const match = DIRECTIVE.exec(content);
  return match === null ? null : { key: match[1] ?? "", value: match[2] ?? "" };
}

/** What ends the lines of a text: `"\r\n"` if its first line ends so, else `"\n"`. */
export function endingOf(lines: readonly Line[]): string {
  return lines[0]?.ending === "\r\n" ? "\r\n" : "\n";
}
