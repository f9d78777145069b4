import { naturalKey } from "../../../../src/quickserve/pages/entries.ts";
import { assertEquals } from "../../../assert.ts";

Deno.test("naturalKey: numbers count by their value, capitals and accents do not matter", () => {
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
  const shuffled = [...ordered].reverse();
  shuffled.sort((a, b) => naturalKey(a) < naturalKey(b) ? -1 : 1);
  assertEquals(shuffled, ordered);
});

Deno.test("naturalKey: names that differ in zeros, capitals or accents alone have one key", () => {
  assertEquals(naturalKey("Été 007"), naturalKey("ete 7"));
});
