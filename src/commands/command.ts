/**
 * What a command is made of. One table serves the parser, `--help`, the man pages and the shell
 * completions, so that they cannot differ.
 */

/** An option of a command. */
export interface Option {
  /** Long name without dashes: `pacman-conf`. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** A metavariable for each value: `["<filepath>"]`, `["<user>", "<password>"]`; none: a switch. */
  readonly values?: readonly string[];
  /** May be given several times. */
  readonly repeatable?: boolean;
  /** Takes as many of these words as follow it: `--tar gz zip`. */
  readonly choices?: readonly string[];
  /** What it does, in full sentences; the default value is appended to it. */
  readonly help: string;
  /** The value without the option, as it is written on the command line. */
  readonly default?: string;
  /** What a shell completes the value with. */
  readonly completes?: "file" | "directory" | "interface";
}

/** Options under a title of their own in `--help`. */
export interface OptionGroup {
  readonly title: string;
  /** A sentence or two under the title. */
  readonly description?: string;
  readonly options: readonly Option[];
}

/** Something to try, shown at the end of `--help` and in the man page. */
interface Example {
  readonly command: string;
  readonly explanation: string;
}

/** A command of the program. */
export interface Command {
  readonly name: string;
  /** Section of the manual: 1 for all users, 8 for administrators. */
  readonly section: 1 | 8;
  /** One line, without a full stop: `share files with one command`. */
  readonly summary: string;
  /** Paragraphs. */
  readonly description: readonly string[];
  readonly positional?: { readonly metavariable: string; readonly help: string };
  /** Words of which one is wanted as the argument: `open`, `close`. */
  readonly words?: readonly string[];
  readonly groups: readonly OptionGroup[];
  readonly examples: readonly Example[];
}

/** `-h` and `--version`, which every command has. */
export const COMMON_OPTIONS: OptionGroup = {
  title: "Help",
  options: [
    { name: "help", short: "h", help: "Show this help and exit." },
    { name: "version", help: "Show the version and exit." },
  ],
};

/** All options of a command, the common ones included. */
export function optionsOf(command: Command): readonly Option[] {
  return [...command.groups, COMMON_OPTIONS].flatMap((group) => group.options);
}
