/** Metavariables of the tables of options, read for man pages and completions. */

/**
 * `port` of `<port>`. What is made of several keeps the brackets, by which they are told apart:
 * `<scheme>://<host>:<port>/`.
 */
export function plainMetavariable(value: string): string {
  return /^<[^<>]*>$/.test(value) ? value.slice(1, -1) : value;
}

/** True for an argument that may be there several times: `[<filepath> ...]`. */
export function takesMany(metavariable: string): boolean {
  return /\.\.\.\]?$/.test(metavariable);
}
