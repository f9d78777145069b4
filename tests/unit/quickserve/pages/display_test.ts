import {
  escapeJson,
  exactSize,
  humanDuration,
  humanSize,
  isoTime,
  visibleText,
} from "../../../../src/quickserve/pages/display.ts";
import { assertEquals } from "../../../assert.ts";

Deno.test("humanSize: has about three digits, and never 1024 of a unit", () => {
  const sizes: [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 KiB"],
    [1024, "1.0 KiB"],
    [1536, "1.5 KiB"],
    [102_350, "100 KiB"],
    [1_023_999, "1.0 MiB"],
    [1024 ** 3, "1.0 GiB"],
    [5 * 1024 ** 4, "5.0 TiB"],
    [Number.MAX_SAFE_INTEGER, "8.0 PiB"],
  ];
  for (const [bytes, text] of sizes) assertEquals(humanSize(bytes), text);
  assertEquals(exactSize(1), "1 byte");
  assertEquals(exactSize(1_234_567), "1,234,567 bytes");
});

Deno.test("isoTime: returns null for times outside of the calendar", () => {
  assertEquals(isoTime(1_700_000_000_999), "2023-11-14T22:13:20Z");
  assertEquals(isoTime(-1), "1969-12-31T23:59:59Z");
  for (const time of [NaN, Infinity, 9e15, -9e13, 8e15]) assertEquals(isoTime(time), null);
});

Deno.test("escapeJson: escapes control and bidirectional characters, and the JSON means the same", () => {
  const data = { "a\x9b31m": ["evil\u202egpj.exe", "\x7f", "\x1b[2J\n", "naïve 日本語 🎉"] };
  const json = JSON.stringify(data, null, 2);
  const shown = escapeJson(json);
  assertEquals(JSON.parse(shown), data);
  assertEquals(/(?!\n)[\p{Cc}\u202e]/u.test(shown), false);
  assertEquals(shown.includes("naïve 日本語 🎉"), true);
});

Deno.test("visibleText: invisible characters of a name are escaped", () => {
  assertEquals(visibleText("naïve 日本語 🎉"), "naïve 日本語 🎉");
  assertEquals(
    visibleText("a\nb\tc\rd\0e\x1b[31m\x7f\x9b"),
    "a\\nb\\tc\\rd\\x00e\\x1b[31m\\x7f\\x9b",
  );
  assertEquals(
    visibleText("evil\u202egpj.exe \u2066\u200f\u061c\u2028"),
    "evil\\u202egpj.exe \\u2066\\u200f\\u061c\\u2028",
  );
});

Deno.test("visibleText: a backslash is not changed", () => {
  assertEquals(visibleText("a\\b\\\\c"), "a\\b\\\\c");
});

Deno.test("humanDuration: durations", () => {
  assertEquals([0.4, 59, 60, 7200, 200_000].map(humanDuration), [
    "0 s",
    "59 s",
    "1 min",
    "2 h",
    "2 d",
  ]);
});
