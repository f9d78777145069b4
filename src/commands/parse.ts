/** Parses the words of a command line into options and values. */

import { parseArgs } from "node:util";
import { UsageError } from "../failure.ts";
import { type Command, type Option, optionsOf } from "./command.ts";
import { nearestOption } from "./nearest_option.ts";

/** The options and arguments of a command line. */
export class ParsedOptions {
  /** The arguments: words that do not belong to an option, in order. */
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

  /**
   * Returns the value of an option; undefined when it was not given. If it was given several times, the
   * last.
   */
  value(name: string): string | undefined {
    return this.#given.get(name)?.at(-1)?.[0];
  }

  /** Returns the first value of every occurrence of the option, in order. */
  all(name: string): readonly string[] {
    return (this.#given.get(name) ?? []).map((values) => values[0] ?? "");
  }

  /** Returns all values of every occurrence of the option, in order. */
  tuples(name: string): readonly (readonly string[])[] {
    return this.#given.get(name) ?? [];
  }
}

/**
 * Joins the values of one option into one word, because the parser supports only options with one value.
 * No word of a command line can contain a NUL (execve(2)).
 */
const BETWEEN_VALUES = "\0";

/**
 * Parses the words after the command's name.
 *
 * @throws {UsageError} when an option is unknown (the message names the most similar one), lacks a value, has
 * a value but takes none, or is repeated although it may not be, or when the command takes no argument.
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
    throw new UsageError(`${command.name} takes no arguments; remove "${surplus}"`);
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

/** Joins an option and the values that follow it into one word: `--auth a b` becomes `--auth=a\0b`. */
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

/** Returns the number of words from `start` that are values of the option before them. */
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
    throw new UsageError(`${rawName}: "${wrong}" is not one of ${option.choices?.join(", ")}`);
  }
  return values;
}

function unknownOption(rawName: string, options: readonly Option[]): UsageError {
  const name = rawName.replace(/^-+/, "");
  const nearest = nearestOption(name, options.map((option) => option.name));
  const hint = nearest === null ? "see --help" : `did you mean --${nearest}?`;
  return new UsageError(`unknown option ${rawName} (${hint})`);
}
