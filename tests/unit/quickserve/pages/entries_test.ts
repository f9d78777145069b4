import { sortEntries } from "../../../../src/quickserve/pages/entries.ts";
import { assertEquals } from "../../../assert.ts";

Deno.test("sortEntries: compares numbers by value, and ignores case and accents", () => {
  const ordered = [
    "-dash",
    "1",
    "02",
    "10",
    "999999999",
    "1000000000",
    "20000000000000000000",
    "Äpfel 1",
    "apfel 2",
    "b",
    "file",
    "file1-9",
    "File1-10",
    "file2",
    "file10",
    "日本",
  ];
  assertEquals(sorted([...ordered].reverse()), ordered);
});

Deno.test("sortEntries: names that differ only in zeros, case or accents are adjacent", () => {
  assertEquals(sorted(["ete 8", "ete 7", "Été 007", "ete 6"]), [
    "ete 6",
    "ete 7",
    "Été 007",
    "ete 8",
  ]);
});

function sorted(names: readonly string[]): string[] {
  const entries = names.map((name) => ({ name, kind: "file", size: 0, modified: 0 }) as const);
  return sortEntries(entries, { column: null, descending: false }).map(({ name }) => name);
}
