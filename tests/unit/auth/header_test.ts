import { assertEquals } from "../../assert.ts";
import { extendedValue, fieldText, parseAuthorization, quote } from "../../../src/auth/header.ts";

function parametersOf(field: string): Record<string, string> | null {
  const credentials = parseAuthorization(field);
  return credentials === null ? null : Object.fromEntries(credentials.parameters);
}

Deno.test("parseAuthorization: parameters are tokens or quoted strings, with any space and empty elements", () => {
  assertEquals(parametersOf(`Digest a=b`), { a: "b" });
  assertEquals(parametersOf(`digest  A = "x y" ,, nc=00000001,\tempty=""`), {
    a: "x y",
    nc: "00000001",
    empty: "",
  });
  assertEquals(parametersOf(`Digest , a=1, `), { a: "1" });
  assertEquals(parametersOf(`Digest username*=UTF-8''J%C3%A4s`), {
    "username*": "UTF-8''J%C3%A4s",
  });
});

Deno.test("parseAuthorization: a quoted string may have commas, equals signs and escapes in it", () => {
  assertEquals(parametersOf(String.raw`Digest username="a\"b\\c, d=e"`), {
    username: String.raw`a"b\c, d=e`,
  });
});

Deno.test("parseAuthorization: the scheme is case-insensitive, and a lone token68 is its token", () => {
  assertEquals(parseAuthorization("BASIC dXNlcjpwYXNz=="), {
    scheme: "basic",
    token: "dXNlcjpwYXNz==",
    parameters: new Map(),
  });
  assertEquals(parseAuthorization("Negotiate")?.scheme, "negotiate");
});

Deno.test("parseAuthorization: malformed fields are refused", () => {
  const malformed = [
    "",
    " ",
    "=",
    "Digest =b",
    "Digest a=b c=d",
    `Digest a="b`,
    `Digest a="b\\`,
    `Digest a="b"c`,
    `Digest a="b\u0001"`,
    `Digest a="b\r\nX: y"`,
    "Digest a=b; c=d",
    "Digest a=ä",
    `Digest a=1, A=2`,
    `Digest nc=00000001, nc=00000001`,
    `Digest a="${"x".repeat(9000)}"`,
  ];
  for (const field of malformed) assertEquals(parametersOf(field), null, field.slice(0, 60));
});

Deno.test("parseAuthorization: a field with thousands of separators or quotes is parsed quickly", () => {
  const started = performance.now();
  for (const piece of [",", " ,", "\t", `"`, `\\"`, `a="`, "="]) {
    parseAuthorization(`Digest ${piece.repeat(8000 / piece.length)}!`);
  }
  // A parser with exponential backtracking would take hours.
  assertEquals(performance.now() - started < 10_000, true);
});

Deno.test("quote: parseAuthorization gives the quoted text back", () => {
  for (const text of ["", `a"b`, "a\\b", "a, b=c", "ä"]) {
    assertEquals(parametersOf(`Digest a=${quote(text)}`), { a: text });
  }
});

Deno.test("fieldText: bytes are decoded as UTF-8 if valid, else as ISO 8859-1", () => {
  assertEquals(fieldText("J\u00c3\u00a4s\u00c3\u00b8n"), "Jäsøn");
  assertEquals(fieldText("J\u00e4s\u00f8n"), "Jäsøn");
  assertEquals(fieldText("Ж"), "Ж");
  assertEquals(fieldText("plain"), "plain");
});

Deno.test("extendedValue: decodes the example of RFC 7616, and refuses malformed values", () => {
  assertEquals(extendedValue("UTF-8''J%C3%A4s%C3%B8n%20Doe"), "Jäsøn Doe");
  assertEquals(extendedValue("utf-8'en'a"), "a");
  for (const broken of ["", "a", "UTF-8'a", "UTF-8''%C3", "UTF-8''%zz", "ISO-8859-1''%E4"]) {
    assertEquals(extendedValue(broken), null, broken);
  }
});
