/** What the server says on standard output: levels, and the journal's priorities (sd-daemon(3)). */

import type { LogConfiguration } from "./configuration.ts";
import { writeLine } from "./line_writer.ts";

/** Writes lines of the levels that the user asked for. */
export interface Log {
  /** Something is wrong that the user can do something about. */
  warn(message: string): void;
  /** Something went wrong that should not. */
  error(message: string): void;
  /** A request was answered. */
  request(line: string): void;
  /** What peers do, and why a source was chosen. */
  detail(message: string): void;
  /** A sentence of a room, by the name that rooms have for its level. */
  at(level: "warning" | "normal" | "verbose", message: string): void;
}

/** The journal's priorities, in syslog's numbers. */
const PRIORITY = { error: 3, warn: 4, request: 6, detail: 7 };

/** Characters of a line at most: a client must not fill the disk with few requests. */
export const MAX_LINE = 4096;

/** Makes a log. */
export function createLog(configuration: LogConfiguration): Log {
  const { level, journal } = configuration;
  const write = (kind: keyof typeof PRIORITY, text: string): void => {
    const word = kind === "error" ? "error: " : kind === "warn" ? "warning: " : "";
    const line = shortened(printable(word + text), MAX_LINE);
    writeLine(journal ? `<${PRIORITY[kind]}>${line}` : line);
  };
  const log: Log = {
    error: (message) => write("error", message),
    warn: (message) => write("warn", message),
    request: (line) => level === "quiet" ? undefined : write("request", line),
    detail: (message) => level === "verbose" ? write("detail", message) : undefined,
    at: (level, message) => {
      if (level === "warning") log.warn(message);
      else if (level === "normal") log.request(message);
      else log.detail(message);
    },
  };
  return log;
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
