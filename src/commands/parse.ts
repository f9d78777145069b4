/** Parses the words of a command line into options and values. */

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
 * Parses the words after the command's name, by the conventions of getopt_long(3): `--port 80`, `--port=80`,
 * `-p 80` and `-p80` are the same, and `--` ends the options. `--auth USER PASSWORD` takes two words, which no
 * parser in a library does. Loading `node:util`, which has one, would also take a command 8 ms.
 *
 * @throws {UsageError} when an option is unknown (the message names the most similar one), lacks a value, has
 * a value but takes none, or is repeated although it may not be, or when the command takes no argument.
 */
export function parseOptions(command: Command, words: readonly string[]): ParsedOptions {
  const options = optionsOf(command);
  const given = new Map<string, string[][]>();
  let positional: string[] = [];
  const rest = [...words];
  for (let next = 0; next < rest.length;) {
    const word = rest[next++] ?? "";
    if (word === "--") {
      positional = positional.concat(rest.slice(next));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      positional.push(word);
      continue;
    }
    const { name, attached } = splitWord(word);
    const option = options.find((one) => name === `--${one.name}` || name === `-${one.short}`);
    if (option === undefined) throw unknownOption(name, options);
    let values: string[] = [];
    if (attached === undefined) {
      values = rest.slice(next, next + valueCount(option, rest, next));
      next += values.length;
    } else if (option.values === undefined && !word.startsWith("--")) {
      // In `-wn5`, what follows a letter without a value is another option.
      if (attached.startsWith("-")) throw unknownOption(word, options);
      rest[--next] = `-${attached}`;
    } else {
      values = [attached];
    }
    checkValues(option, values);
    const before = given.get(option.name);
    if (before === undefined) given.set(option.name, [values]);
    else if (option.repeatable === true) before.push(values);
    else if (option.values !== undefined) {
      throw new UsageError(`--${option.name} was given twice`);
    }
  }
  const surplus = positional[0];
  if (command.positional === undefined && surplus !== undefined) {
    throw new UsageError(`${command.name} takes no arguments; remove "${surplus}"`);
  }
  return new ParsedOptions(given, positional);
}

/** Splits a word into an option with its dashes, and the value that is attached to it, if there is one. */
function splitWord(word: string): { name: string; attached: string | undefined } {
  const isLong = word.startsWith("--");
  const end = isLong ? word.indexOf("=", 3) : 2;
  if (end < 0 || end >= word.length) return { name: word, attached: undefined };
  return { name: word.slice(0, end), attached: word.slice(isLong ? end + 1 : end) };
}

/** Returns how many of the words from `start` are values of the option before them. */
function valueCount({ choices, values }: Option, words: readonly string[], start: number): number {
  if (choices === undefined) return values?.length ?? 0;
  let end = start;
  while (choices.includes(words[end] ?? "")) end++;
  return Math.max(1, end - start);
}

/** @throws {UsageError} when an option cannot have these values. */
function checkValues({ name, values, choices }: Option, given: readonly string[]): void {
  const wanted = values?.length ?? 0;
  if (wanted === 0 && given.length > 0) throw new UsageError(`--${name} takes no value`);
  if (given.length < wanted || (wanted === 1 && given[0] === "")) {
    const number = wanted === 1 ? "a value" : `${wanted} values`;
    throw new UsageError(`--${name} needs ${number}: ${values?.join(" ")}`);
  }
  const wrong = given.find((one) => choices?.includes(one) === false);
  if (wrong !== undefined) {
    throw new UsageError(`--${name}: "${wrong}" is not one of ${choices?.join(", ")}`);
  }
}

function unknownOption(given: string, options: readonly Option[]): UsageError {
  const name = given.replace(/^-+/, "");
  const nearest = nearestOption(name, options.map((option) => option.name));
  const hint = nearest === null ? "see --help" : `did you mean --${nearest}?`;
  return new UsageError(`unknown option ${given} (${hint})`);
}
