/**
 * The tables that describe commands. The parser, `--help`, the man pages and the shell completions all
 * use the same table, so that they cannot differ.
 */

/** An option of a command. */
export interface Option {
  /** Long name without dashes: `pacman-conf`. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** A metavariable for each value: `["<filepath>"]`, `["<user>", "<password>"]`. Missing for a switch. */
  readonly values?: readonly string[];
  /** True when the option may be given several times. */
  readonly repeatable?: boolean;
  /** The words that the option accepts as values. It takes all that follow it: `--tar gz zip`. */
  readonly choices?: readonly string[];
  /** Explains the option in full sentences. The default value is appended to it. */
  readonly help: string;
  /** The value that is used without the option, as the user would write it on the command line. */
  readonly default?: string;
  /** The kind of names that a shell offers to complete the value. */
  readonly completes?: "file" | "directory" | "interface";
}

/** Options that `--help` shows under one title. */
export interface OptionGroup {
  readonly title: string;
  /** A sentence or two under the title. */
  readonly description?: string;
  readonly options: readonly Option[];
}

/** An example command line, shown at the end of `--help` and in the man page. */
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
  /** The values that the argument can have, if it must be one of them: `open`, `close`. */
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

/** Returns all options of a command, including the common ones. */
export function optionsOf(command: Command): readonly Option[] {
  return [...command.groups, COMMON_OPTIONS].flatMap((group) => group.options);
}
