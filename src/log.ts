/** What every room writes to the log with: one word for each level. */

/** Writes lines of the levels that the user asked for. */
export interface Log {
  /** Something is wrong that the user can do something about. */
  warn(message: string): void;
  /** Something that is worth a line, unless the user wants quiet. */
  info(message: string): void;
  /** What peers do, and why a source was chosen: with `--verbose` only. */
  debug(message: string): void;
}
