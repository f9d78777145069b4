/** From the words of a command line to options and values. */

import { parseArgs } from "node:util";
import { UsageError } from "../failure.ts";
import { type Command, type Option, optionsOf } from "./command.ts";
import { nearestOption } from "./nearest_option.ts";

/** What a command line said. */
export class ParsedOptions {
  /** Words that belong to no option, in order. */
  readonly positional: readonly string[];
  readonly #given: ReadonlyMap<string, readonly (readonly string[])[]>;

  constructor(
    given: ReadonlyMap<string, readonly (readonly string[])[]>,
    positional: readonly string[],
  ) {
    this.#given = given;
    this.positional = positional;
  }

  /** True when the option was given at least once. */
  has(name: string): boolean {
    return this.#given.has(name);
  }

  /** The value of an option that takes one; undefined when it was not given. */
  value(name: string): string | undefined {
    return this.#given.get(name)?.at(-1)?.[0];
  }

  /** The first value of each time that the option was given, in order. */
  all(name: string): readonly string[] {
    return (this.#given.get(name) ?? []).map((values) => values[0] ?? "");
  }

  /** All values of each time that the option was given, in order. */
  tuples(name: string): readonly (readonly string[])[] {
    return this.#given.get(name) ?? [];
  }
}

/**
 * Joins the values of one option into one word for the parser, which knows only options of one value. No
 * word of a command line can contain a NUL (execve(2)).
 */
const BETWEEN_VALUES = "\0";

/**
 * Parses the words after the command's name.
 *
 * @throws {UsageError} for an unknown option (naming the nearest one), a value that is missing or
 * not wanted, an option that was given twice and may not be, or an argument that the command does not take.
 */
export function parseOptions(command: Command, words: readonly string[]): ParsedOptions {
  const options = optionsOf(command);
  const { tokens } = parseArgs({
    args: joinValues(options, words),
    options: Object.fromEntries(options.map((option) => [option.name, parserOption(option)])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<string, string[][]>();
  const positional: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positional.push(token.value);
    if (token.kind !== "option") continue;
    const option = options.find((candidate) => candidate.name === token.name);
    if (option === undefined) throw unknownOption(token.rawName, options);
    const values = valuesOf(option, token.rawName, token.value);
    const before = given.get(option.name);
    if (before === undefined) given.set(option.name, [values]);
    else if (option.repeatable === true) before.push(values);
    else if (option.values !== undefined) {
      throw new UsageError(`${token.rawName} was given twice`);
    }
  }
  const surplus = positional[0];
  if (command.positional === undefined && surplus !== undefined) {
    throw new UsageError(`${command.name} takes no argument "${surplus}"`);
  }
  return new ParsedOptions(given, positional);
}

function parserOption(
  option: Option,
): { type: "string" | "boolean"; multiple: true; short?: string } {
  const type = option.values === undefined ? "boolean" : "string";
  return option.short === undefined
    ? { type, multiple: true }
    : { type, multiple: true, short: option.short };
}

/** Puts the values that follow an option into its own word: `--auth a b` becomes `--auth=a\0b`. */
function joinValues(options: readonly Option[], words: readonly string[]): string[] {
  const joined: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (word === "--") return [...joined, ...words.slice(index)];
    const option = options.find(({ name, short }) =>
      word === `--${name}` || (short !== undefined && word === `-${short}`)
    );
    const count = option === undefined ? 0 : valueCount(option, words, index + 1);
    const values = words.slice(index + 1, index + 1 + count);
    if (option === undefined || values.length === 0) {
      joined.push(word);
    } else {
      joined.push(`--${option.name}=${values.join(BETWEEN_VALUES)}`);
      index += count;
    }
  }
  return joined;
}

/** How many of the words from `start` belong to the option that stands before them. */
function valueCount(option: Option, words: readonly string[], start: number): number {
  const { choices, values } = option;
  if (choices === undefined) return values?.length ?? 0;
  const rest = words.slice(start);
  const end = rest.findIndex((word) => !choices.includes(word));
  return Math.max(1, end < 0 ? rest.length : end);
}

function valuesOf(option: Option, rawName: string, value: string | undefined): string[] {
  const wanted = option.values?.length ?? 0;
  if (wanted === 0) {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value`);
    return [];
  }
  const values = value === undefined ? [] : value.split(BETWEEN_VALUES);
  if (values.length < wanted || (wanted === 1 && values[0] === "")) {
    const number = wanted === 1 ? "a value" : `${wanted} values`;
    throw new UsageError(`${rawName} needs ${number}: ${option.values?.join(" ")}`);
  }
  const wrong = values.find((one) => option.choices?.includes(one) === false);
  if (wrong !== undefined) {
    throw new UsageError(`${rawName}: "${wrong}" is none of ${option.choices?.join(", ")}`);
  }
  return values;
}

function unknownOption(rawName: string, options: readonly Option[]): UsageError {
  const name = rawName.replace(/^-+/, "");
  const nearest = nearestOption(name, options.map((option) => option.name));
  const hint = nearest === null ? "see --help" : `did you mean --${nearest}?`;
  return new UsageError(`unknown option ${rawName} (${hint})`);
}
