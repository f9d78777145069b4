import { sortEntries } from "../../../../src/quickserve/pages/entries.ts";
import { Slices } from "../../../../src/quickserve/turns.ts";
import { assertEquals } from "../../../assert.ts";

Deno.test("sortEntries: compares numbers by value, and ignores case and accents", async () => {
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
  assertEquals(await sorted([...ordered].reverse()), ordered);
});

Deno.test("sortEntries: names that differ only in zeros, case or accents are adjacent", async () => {
  assertEquals(await sorted(["ete 8", "ete 7", "Été 007", "ete 6"]), [
    "ete 6",
    "ete 7",
    "Été 007",
    "ete 8",
  ]);
});

Deno.test("sortEntries: the order of names that differ only in case, accents or zeros does not depend on the input", async () => {
  const ordered = ["a", "B1", "b01", "b1", "bé", "ETE", "Ete", "ete", "été", "f"];
  const alike = ["B1", "b01", "b1"];
  for (let turn = 0; turn < ordered.length; turn++) {
    assertEquals(await sorted([...ordered.slice(turn), ...ordered.slice(0, turn)]), ordered);
  }
  assertEquals(await sorted(alike.toReversed()), alike);
});

Deno.test("sortEntries: any number of names can have equal keys", async () => {
  // Accents alone leave nothing to compare.
  const names = Array.from({ length: 200_000 }, (_, index) => {
    const digits = String(index).padStart(6, "0");
    return digits.replace(/./g, (digit) => String.fromCharCode(0x300 + Number(digit)));
  });
  assertEquals(await sorted(names.toReversed()), names);
});

async function sorted(names: readonly string[]): Promise<string[]> {
  const entries = names.map((name) => ({ name, kind: "file", size: 0, modified: 0 }) as const);
  const order = { column: null, descending: false };
  return (await sortEntries(entries, order, new Slices())).map(({ name }) => name);
}
