/** Filelists: parsing gives shares, or an error with the place of the mistake. */

import fc from "fast-check";
import { posix } from "node:path";
import { Failure } from "../../src/failure.ts";
import type { Share } from "../../src/quickserve/configuration.ts";
import { parseFilelist } from "../../src/quickserve/filelist.ts";
import { isFileName } from "../../src/quickserve/visibility.ts";
import { assert, assertEquals, assertMatch } from "../../tests/assert.ts";
import { wordText } from "../bytes.ts";
import { target } from "../target.ts";

const text = wordText([
  "{",
  "}",
  "[",
  "]",
  '"',
  ":",
  ",",
  "\n",
  "\\u0000",
  '"pkg"',
  '"__proto__"',
  "/srv/a",
  "../..",
  '"/etc"',
  "null",
  "1e9",
]);

const segment = fc.oneof(
  fc.stringMatching(/^[a-z0-9._-]{1,8}$/),
  fc.constantFrom("__proto__", "ä", " ", "%2e"),
).filter(isFileName);

const shares = fc.uniqueArray(
  fc.record({
    path: fc.array(segment, { maxLength: 3 }).map((segments) => segments.join("/")),
    sources: fc.array(
      fc.array(segment, { maxLength: 3 }).map((segments) => `/${segments.join("/")}`),
      { maxLength: 3 },
    ),
  }),
  { selector: ({ path }) => path, maxLength: 5 },
);

/** Any text gives valid shares or an error with its place, and JSON of shares gives those shares. */
export const filelists = target("filelists", fc.record({ text, shares }), async (input) => {
  await assertShares(input.text);
  const members = input.shares.map(({ path, sources }) =>
    `${JSON.stringify(`/${path}`)}: ${JSON.stringify(sources)}`
  );
  const read = await parseFilelist(`{${members.join(",\n")}}`, "/lists/list.json");
  const expected: Share[] = input.shares.map((one) => ({ ...one, packageCache: false }));
  assertEquals(read, expected);
});

async function assertShares(text: string): Promise<void> {
  let read: Share[];
  try {
    read = await parseFilelist(text, "/lists/list");
  } catch (error) {
    assert(error instanceof Failure, String(error));
    assertMatch(error.message, /^\/lists\/list:/);
    return;
  }
  for (const { path, sources } of read) {
    assert(path === "" || path.split("/").every(isFileName), `a path of the tree: ${path}`);
    for (const source of sources) {
      assertEquals(posix.resolve("/elsewhere", source), source);
      assert(!source.includes("\0"));
    }
  }
}
