/** Filters: regular expressions that decide which paths appear on the server. */

import { Failure, messageOf, UsageError } from "../failure.ts";
import type { FilterRule } from "./configuration.ts";
import type { PathFilter } from "./visibility.ts";

/**
 * Reads one rule, `<ix><regex>`: `x\.iso$` excludes, `i/images/` includes.
 *
 * @throws {Failure} when the line does not begin with one of these letters, or has no expression.
 */
export function parseFilterLine(line: string): FilterRule {
  const letter = line.charAt(0);
  const expression = line.slice(1);
  if (letter !== "i" && letter !== "x") {
    throw new Failure(
      `"${line}" is not a valid filter: it has to begin with i (include) or x (exclude), as in x\\.iso$`,
    );
  }
  if (expression === "") {
    throw new Failure(`"${line}" is not a valid filter: the expression is missing`);
  }
  return { action: letter === "i" ? "include" : "exclude", expression };
}

/**
 * Reads the values of `--filter`.
 *
 * @throws {UsageError} when a value is invalid; the error contains the first such value.
 */
export async function parseFilterOptions(values: readonly string[]): Promise<FilterRule[]> {
  const lines = values.map((line) => ({ line, place: "--filter" }));
  return await parseLines(lines, UsageError);
}

/**
 * Reads a filterlist with one rule per line. Empty lines, and lines that begin with `#`, are ignored.
 *
 * @param file its name, for errors.
 * @throws {Failure} with file and line of the first invalid rule.
 */
export async function parseFilterList(text: string, file: string): Promise<FilterRule[]> {
  const lines = text.replace(/^\ufeff/, "").split(/\r?\n/)
    .map((line, index) => ({ line, place: `${file}:${index + 1}` }))
    .filter(({ line }) => !/^\s*(?:#|$)/.test(line));
  return await parseLines(lines);
}

/**
 * Compiles filters. The last rule that matches a path decides; a path that matches no rule is shown. The
 * engine does not backtrack. Therefore the time is linear in the length of the path.
 *
 * @throws {Failure} when an expression is invalid.
 */
export async function compileFilters(rules: readonly FilterRule[]): Promise<PathFilter> {
  const { RE2JS } = await import("re2js");
  const compiled = rules.map(({ action, expression }) => {
    try {
      return { shows: action === "include", pattern: RE2JS.compile(expression) };
    } catch (error) {
      throw new Failure(`the filter "${expression}" is invalid: ${messageOf(error)}`);
    }
  });
  return (path) => compiled.findLast(({ pattern }) => pattern.test(path))?.shows ?? true;
}

async function parseLines(
  lines: readonly { readonly line: string; readonly place: string }[],
  Mistake: typeof Failure = Failure,
): Promise<FilterRule[]> {
  const rules: FilterRule[] = [];
  for (const { line, place } of lines) {
    try {
      const rule = parseFilterLine(line);
      await compileFilters([rule]);
      rules.push(rule);
    } catch (error) {
      if (error instanceof Failure) throw new Mistake(`${place}: ${error.message}`);
      throw error;
    }
  }
  return rules;
}
