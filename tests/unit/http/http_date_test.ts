import { formatHttpDate, parseHttpDate } from "../../../src/http/http_date.ts";
import { assertEquals } from "../../assert.ts";

const now = Date.UTC(2026, 0, 1);
const example = Date.UTC(1994, 10, 6, 8, 49, 37);

Deno.test("parseHttpDate: the three forms of RFC 9110 §5.6.7", () => {
  assertEquals(formatHttpDate(example + 999), "Sun, 06 Nov 1994 08:49:37 GMT");
  for (
    const text of [
      "Sun, 06 Nov 1994 08:49:37 GMT",
      "Sunday, 06-Nov-94 08:49:37 GMT",
      "Sun Nov  6 08:49:37 1994",
    ]
  ) assertEquals(parseHttpDate(text, now), example, text);
  assertEquals(
    parseHttpDate("Friday, 06-Nov-76 08:49:37 GMT", now),
    Date.UTC(2076, 10, 6, 8, 49, 37),
  );
  assertEquals(
    parseHttpDate("Sunday, 06-Nov-77 08:49:37 GMT", now),
    Date.UTC(1977, 10, 6, 8, 49, 37),
  );
});

Deno.test("parseHttpDate: null for anything else", () => {
  for (
    const text of [
      "",
      "0",
      "1994-11-06T08:49:37Z",
      "Sun, 06 Nov 1994 08:49:37",
      "Sun, 06 Nov 1994 08:49:37 CET",
      "Sun, 6 Nov 1994 08:49:37 GMT",
      "Sun, 31 Feb 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994 25:49:37 GMT",
      "Sun, 06 Foo 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994 08:49:37 GMT, x",
    ]
  ) assertEquals(parseHttpDate(text, now), null, text);
});
