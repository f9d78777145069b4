/** Filters: they are valid or an error, the last match decides, and no expression is slow. */

import fc from "fast-check";
import { Failure } from "../../src/failure.ts";
import { compileFilters, parseFilterList } from "../../src/quickserve/filters.ts";
import { assert, assertEquals, assertMatch } from "../../tests/assert.ts";
import { wordText } from "../bytes.ts";
import { target } from "../target.ts";

const text = wordText([
  "i",
  "x",
  "(a+)+$",
  "(a|aa)*b",
  "[^/]*",
  "\\.iso$",
  "^/",
  "(?i)",
  "{1000}",
  "(",
  ")",
  "\\",
  "\n",
  "#",
  "\\pL",
  "(?<n>",
  "[z-a]",
  "*",
]);

const plain = fc.array(
  fc.record({ include: fc.boolean(), word: fc.stringMatching(/^[a-c/]{1,3}$/) }),
  { maxLength: 6 },
);

/** How long the filters of a list may take for a path, in milliseconds. */
const LONGEST = 1_000;

/** The last matching filter decides, and any text gives fast filters or an error with its line. */
export const filters = target(
  "filters",
  fc.record({ text, plain, path: fc.stringMatching(/^[a-c/]{0,12}$/) }),
  async ({ text, plain, path }) => {
    const rules = plain.map(({ include, word }) => (include ? "i" : "x") + word).join("\n");
    const shows = await compileFilters(await parseFilterList(rules, "list"));
    const last = plain.findLast(({ word }) => path.includes(word));
    assertEquals(shows(path), last?.include ?? true);
    await assertCheap(text);
  },
);

async function assertCheap(text: string): Promise<void> {
  try {
    const shows = await compileFilters(await parseFilterList(text, "list"));
    const start = performance.now();
    shows(`/${"a".repeat(250)}/${"a".repeat(250)}!`);
    assert(performance.now() - start < LONGEST, `took ${performance.now() - start} ms`);
  } catch (error) {
    assert(error instanceof Failure, String(error));
    assertMatch(error.message, /^list:\d+: /);
  }
}
