import { parseEnvironmentFile } from "../../../src/firewall/environment_file.ts";
import { assertEquals } from "../../assert.ts";

function check(text: string, expected: Record<string, string>): void {
  assertEquals(Object.fromEntries(parseEnvironmentFile(text)), expected, text);
}

Deno.test("parseEnvironmentFile: the last assignment to a name counts; comments and blank lines are ignored", () => {
  check("# A=1\n; B=2\n\n  C = 3 \nC=4\nD=\nE", { C: "4", D: "" });
  check("A=1", { A: "1" });
  check("", {});
});

Deno.test("parseEnvironmentFile: a `#` after a value is a part of the value, as for systemd", () => {
  check('A=1 # 2\nB="1" # 2', { A: "1 # 2", B: "1# 2" });
});

Deno.test("parseEnvironmentFile: a comment ends with its line, even after a backslash", () => {
  check("# a\\\nB=1\nC=2", { B: "1", C: "2" });
  check("; a\\\r\nB=1", { B: "1" });
});

Deno.test("parseEnvironmentFile: a value may have several quoted parts, also with line breaks", () => {
  check(`A=" a "\nB=' b '\nC="it's"\nD='say "no"'`, {
    A: " a ",
    B: " b ",
    C: "it's",
    D: 'say "no"',
  });
  check(`A="one"' two'three  \nB='1\n2'`, { A: "one twothree", B: "1\n2" });
  // Quotation marks count only at the beginning of a value or after another quoted part.
  check(`A=a"b"c`, { A: `a"b"c` });
});

Deno.test("parseEnvironmentFile: backslashes outside quotes, in double and in single quotes", () => {
  check("A=a\\\\b\\ c\\\nd", { A: "a\\b cd" });
  check('A="a\\\\b\\"c\\$d\\`e\\.f\\\ng"', { A: 'a\\b"c$d`e\\.fg' });
  check("A='a\\\\b\\'", { A: "a\\\\b\\" });
  check("A=a\\ \nB=1", { A: "a ", B: "1" });
});

Deno.test("parseEnvironmentFile: CRLF is accepted, and assignments to invalid names are ignored", () => {
  check("A=1\r\nB='2'\r\n", { A: "1", B: "2" });
  check("1A=1\nA-B=1\n=1\nexport C=1\nD=1", { D: "1" });
});
