/** What the server says on standard output: levels, and the journal's priorities (sd-daemon(3)). */

import type { LogConfiguration } from "./configuration.ts";
import { writeLine } from "./line_writer.ts";

/** Writes lines of the levels that the user asked for. */
export interface Log {
  /** Something went wrong that should not. */
  error(message: string): void;
  /** Something is wrong that the user can do something about. */
  warn(message: string): void;
  /** Something that is worth a line, unless the user wants quiet. */
  info(message: string): void;
  /** What peers do, and why a source was chosen: with `--verbose` only. */
  debug(message: string): void;
  /** A line of the access log, unless the user wants quiet. */
  access(line: string): void;
}

/** The words that rooms have for the levels of their sentences. */
export type RoomLevel = "warning" | "normal" | "verbose";

/** Writes a sentence of a room. */
export function logAt(log: Log, level: RoomLevel, message: string): void {
  if (level === "warning") log.warn(message);
  else if (level === "normal") log.info(message);
  else log.debug(message);
}

/** The journal's priorities, in syslog's numbers. */
const PRIORITY = { error: 3, warning: 4, info: 6, debug: 7 };

/** Characters of a line at most: a client must not fill the disk with few requests. */
export const MAX_LINE = 4096;

/** Makes a log. */
export function createLog({ level, journal }: LogConfiguration): Log {
  const write = (priority: keyof typeof PRIORITY, text: string): void => {
    const line = shortened(printable(text), MAX_LINE);
    writeLine(journal ? `<${PRIORITY[priority]}>${line}` : line);
  };
  const info = (text: string): void => level === "quiet" ? undefined : write("info", text);
  return {
    error: (message) => write("error", `error: ${message}`),
    warn: (message) => write("warning", `warning: ${message}`),
    info,
    debug: (message) => level === "verbose" ? write("debug", message) : undefined,
    access: info,
  };
}

/** Replaces control characters, so that what a client sent can neither forge a line nor move the cursor. */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what this is about
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

/** At most so many characters of a text; three dots stand for what is left out. */
export function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 3)}...`;
}
