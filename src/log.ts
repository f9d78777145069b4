/** The log, as all modules write to it: one method for each level. */

/** Writes the lines whose level the user asked for. */
export interface Log {
  /** A fault that the user can do something about. */
  warn(message: string): void;
  /** An event that is always logged, except with `--quiet`. */
  info(message: string): void;
  /** What peers do, and why a source was chosen: with `--verbose` only. */
  debug(message: string): void;
}
