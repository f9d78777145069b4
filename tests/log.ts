/** Logs for tests. */

import type { ServerLog } from "../src/server/log.ts";

/** Says nothing. */
export const SILENT: ServerLog = {
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  access: () => {},
};

/** Keeps the lines of all levels. */
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
