/** What the server says on standard output: levels, and the journal's priorities (sd-daemon(3)). */

import type { Log } from "../log.ts";
import type { LogConfiguration } from "./configuration.ts";
import { writeLine } from "./line_writer.ts";

/** The log of a server, which has lines that no room writes. */
export interface ServerLog extends Log {
  /** Something went wrong that should not. */
  error(message: string): void;
  /** A line of the access log, unless the user wants quiet. */
  access(line: string): void;
}

/** The journal's priorities, in syslog's numbers. */
const PRIORITY = { error: 3, warning: 4, info: 6, debug: 7 };

/** Characters of a line at most: a client must not fill the disk with few requests. */
const MAX_LINE = 4096;

/** Makes a log. */
export function createLog({ level, journal }: LogConfiguration): ServerLog {
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
