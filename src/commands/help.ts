/** Makes the text of `--help` from the table of a command. */

import { writeOutput } from "../files.ts";
import { wrap } from "../wrap.ts";
import { VERSION } from "../version.ts";
import { type Command, COMMON_OPTIONS, type Option, type OptionGroup } from "./command.ts";
import { type ParsedOptions, parseOptions } from "./parse.ts";

/** The greatest width of the text in columns of a terminal. */
const WIDTH = 80;

/** Column at which the explanations begin. */
const EXPLANATION = 26;

/**
 * Parses the words after the command's name. For `--help` and `--version`, prints the text instead.
 *
 * @returns null when the text was printed.
 * @throws {UsageError} as {@link parseOptions}.
 */
export async function optionsUnlessHelp(
  command: Command,
  words: readonly string[],
): Promise<ParsedOptions | null> {
  const options = parseOptions(command, words);
  const wantsHelp = options.has("help");
  if (!wantsHelp && !options.has("version")) return options;
  await writeOutput(wantsHelp ? helpText(command) : `${command.name} ${VERSION}\n`);
  return null;
}

/** Returns the whole help text of a command, in lines of at most {@link WIDTH} columns. */
function helpText(command: Command): string {
  const positional = command.positional;
  const usage = `usage: ${command.name} [options]` +
    (positional === undefined ? "" : ` ${positional.metavariable}`);
  const blocks = [usage, ...command.description.map((paragraph) => wrapped(paragraph, 0))];
  if (positional !== undefined) {
    blocks.push(`Arguments:\n${entry(positional.metavariable, positional.help)}`);
  }
  blocks.push(...[...command.groups, COMMON_OPTIONS].map(groupText));
  if (command.examples.length > 0) {
    const examples = command.examples.map(({ command, explanation }) =>
      `${wrapped(explanation, 2)}\n    ${command}`
    );
    blocks.push(`Examples:\n${examples.join("\n")}`);
  }
  return blocks.join("\n\n") + "\n";
}

/** Returns an option as users write it, with its metavariables: `-f, --filelist <filepath>`. */
function optionSyntax(option: Option): string {
  const short = option.short === undefined ? "" : `-${option.short}, `;
  const values = (option.values ?? []).join(" ") + (option.choices === undefined ? "" : "...");
  return `${short}--${option.name}${values === "" ? "" : " " + values}`;
}

/** Returns the explanation of an option, with its default and, if so, that it may be repeated. */
export function optionExplanation(option: Option): string {
  const repeatable = option.repeatable === true && option.choices === undefined
    ? " May be given several times."
    : "";
  const value = option.default === undefined ? "" : ` Default: ${option.default}.`;
  return option.help + repeatable + value;
}

function groupText(group: OptionGroup): string {
  const description = group.description === undefined ? "" : `\n${wrapped(group.description, 2)}`;
  const options = group.options.map((option) =>
    entry(optionSyntax(option), optionExplanation(option))
  );
  return `${group.title}:${description}\n${options.join("\n")}`;
}

function entry(head: string, explanation: string): string {
  const text = wrapped(explanation, EXPLANATION);
  const start = `  ${head}`;
  return start.length > EXPLANATION - 2 ? `${start}\n${text}` : start + text.slice(start.length);
}

/** Breaks a text into indented lines of at most {@link WIDTH} columns. */
function wrapped(text: string, indent: number): string {
  return wrap(text.replace(/\s+/g, " "), WIDTH - indent)
    .map((line) => " ".repeat(indent) + line).join("\n");
}
