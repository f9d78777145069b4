/** Parses the metavariables of the option tables, for man pages and completions. */

/**
 * A metavariable without its brackets: `port` for `<port>`. A value that consists of several
 * metavariables keeps the brackets that separate them: `<scheme>://<host>:<port>/`.
 */
export function plainMetavariable(value: string): string {
  return /^<[^<>]*>$/.test(value) ? value.slice(1, -1) : value;
}

/** True for an argument that may be given several times: `[<filepath> ...]`. */
export function takesMany(metavariable: string): boolean {
  return /\.\.\.\]?$/.test(metavariable);
}
