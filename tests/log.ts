/** Logs for tests. */

import type { ServerLog } from "../src/server/log.ts";

/** A log that drops all lines. */
export const SILENT: ServerLog = {
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  access: () => {},
};

/** A log that collects the lines of all levels. */
export class KeptLog implements ServerLog {
  readonly lines: string[] = [];

  error(line: string): void {
    this.lines.push(line);
  }

  warn(line: string): void {
    this.lines.push(line);
  }

  info(line: string): void {
    this.lines.push(line);
  }

  debug(line: string): void {
    this.lines.push(line);
  }

  access(line: string): void {
    this.lines.push(line);
  }
}
