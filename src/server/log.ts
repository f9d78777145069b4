/** The log of the server on standard output: its levels, and the journal's priorities (sd-daemon(3)). */

import type { Log } from "../log.ts";
import type { LogConfiguration } from "./configuration.ts";
import { writeLine } from "./line_writer.ts";

/** The log of a server, with two kinds of lines that only `server/` writes. */
export interface ServerLog extends Log {
  /** An error that should not happen. */
  error(message: string): void;
  /** A line of the access log, unless the user wants quiet. It has no control characters. */
  access(line: string): void;
}

/** The journal's priorities, as numbers of syslog. */
const PRIORITY = { error: 3, warning: 4, info: 6, debug: 7 };

/** Greatest length of a line in characters, so that a client cannot fill the disk with few requests. */
const MAX_LINE = 4096;

/** Makes a log that writes to standard output. */
export function createLog({ level, journal }: LogConfiguration): ServerLog {
  const writePrintable = (priority: keyof typeof PRIORITY, text: string): void => {
    const line = shortened(text, MAX_LINE);
    writeLine(journal ? `<${PRIORITY[priority]}>${line}` : line);
  };
  const write = (priority: keyof typeof PRIORITY, text: string): void => {
    writePrintable(priority, printable(text));
  };
  const info = (text: string): void => level === "quiet" ? undefined : write("info", text);
  return {
    error: (message) => write("error", `error: ${message}`),
    warn: (message) => write("warning", `warning: ${message}`),
    info,
    debug: (message) => level === "verbose" ? write("debug", message) : undefined,
    access: (line) => level === "quiet" ? undefined : writePrintable("info", line),
  };
}

/** Escapes control characters, so that a client's text cannot forge a line or control the terminal. */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex -- this function must match control characters
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

/** A text cut to at most `length` characters, with three dots at the end if it was longer. */
export function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 3)}...`;
}
