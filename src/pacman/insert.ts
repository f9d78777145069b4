/** Inserts an `Include` line into each repository section of a pacman.conf, and changes nothing else. */

import { directive, endingOf, joinLines, type Line, repositoryName, splitLines } from "./lines.ts";

/** The file with pacserve's `Server` lines, which the inserted lines include. */
export const PACSERVE_INCLUDE = "/etc/pacman.d/pacserve";

/** A configuration with the lines inserted. */
interface Insertion {
  readonly text: string;
  /** Names of the repositories that the text defines, in order. */
  readonly repositories: readonly string[];
}

/**
 * Makes `Include = <path>` the first line of each repository section. A section whose first directive
 * is this line already stays unchanged, so that a second insertion changes nothing.
 *
 * @param text of the configuration, one character for each byte (`decodeBytes`).
 */
export function insertInclude(text: string, path: string = PACSERVE_INCLUDE): Insertion {
  const lines = splitLines(text);
  const ending = endingOf(lines);
  const repositories: string[] = [];
  const result: Line[] = [];
  for (const [index, line] of lines.entries()) {
    const name = repositoryName(line.content);
    if (name === null) {
      result.push(line);
      continue;
    }
    repositories.push(name);
    if (firstDirectiveIncludes(lines, index + 1, path)) {
      result.push(line);
      continue;
    }
    // If the section header is the last line and has no line ending, the inserted line gets none either.
    const content = `Include = ${path}`;
    result.push({ content: line.content, ending: line.ending === "" ? ending : line.ending });
    result.push({ content, ending: line.ending });
  }
  return { text: joinLines(result), repositories };
}

function firstDirectiveIncludes(lines: readonly Line[], start: number, path: string): boolean {
  for (const { content } of lines.slice(start)) {
    if (repositoryName(content) !== null) return false;
    const found = directive(content);
    if (found !== null) return found.key === "Include" && found.value === path;
  }
  return false;
}
