import fc from "fast-check";
import { insertInclude } from "../../../src/pacman/insert.ts";
import { decodeBytes, encodeBytes, joinLines, splitLines } from "../../../src/pacman/lines.ts";
import { assertEquals } from "../../assert.ts";

const LINE = "Include = /etc/pacman.d/pacserve";

Deno.test("insertInclude: makes the Include the first line of each repository section", () => {
  const text =
    "[options]\nHoldPkg = pacman\n\n# main\n[core]\nInclude = /etc/pacman.d/mirrorlist\n" +
    "\n[xyne-any]\nServer = http://example.org/\n";
  assertEquals(insertInclude(text), {
    text:
      `[options]\nHoldPkg = pacman\n\n# main\n[core]\n${LINE}\nInclude = /etc/pacman.d/mirrorlist\n` +
      `\n[xyne-any]\n${LINE}\nServer = http://example.org/\n`,
    repositories: ["core", "xyne-any"],
  });
});

Deno.test("insertInclude: keeps unusual spacing, and uses CRLF after a line with CRLF", () => {
  assertEquals(
    insertInclude("[options]\r\n\t[ core ] \r\nServer=x\r\n").text,
    `[options]\r\n\t[ core ] \r\n${LINE}\r\nServer=x\r\n`,
  );
  // With mixed line endings, the inserted line has the ending of the line above it.
  assertEquals(insertInclude("[a]\n[b]\r\n").text, `[a]\n${LINE}\n[b]\r\n${LINE}\r\n`);
});

Deno.test("insertInclude: ignores comments that look like sections, and malformed section headers", () => {
  for (
    const text of ["#[testing]\n", "  # [testing]\n", "[core] # no\n", "[core\n", "[]\n", "core]\n"]
  ) {
    assertEquals(insertInclude(text), { text, repositories: [] });
  }
});

Deno.test("insertInclude: files without repositories, empty files and blank lines stay unchanged", () => {
  for (const text of ["", "\n", "\n\n", "[options]\nColor\n", "[options]", "Color", "\r\n"]) {
    assertEquals(insertInclude(text), { text, repositories: [] });
  }
});

Deno.test("insertInclude: a missing line ending at the end of the file stays missing", () => {
  assertEquals(insertInclude("[core]").text, `[core]\n${LINE}`);
  assertEquals(insertInclude("[options]\r\n[core]").text, `[options]\r\n[core]\r\n${LINE}`);
  assertEquals(insertInclude("[core]\nServer = x").text, `[core]\n${LINE}\nServer = x`);
});

Deno.test("insertInclude: an existing Include, with any spacing, is not repeated", () => {
  for (
    const text of [
      "[core]\n  Include=/etc/pacman.d/pacserve  \nServer = x\n",
      "[core]\n\n# local\nInclude =\t/etc/pacman.d/pacserve\r\n",
    ]
  ) assertEquals(insertInclude(text).text, text);
  // In another section, or after another directive, it does not count.
  assertEquals(
    insertInclude("[a]\n[b]\nInclude = /etc/pacman.d/pacserve\n").text,
    `[a]\n${LINE}\n[b]\n${LINE}\n`,
  );
  assertEquals(
    insertInclude(`[a]\nServer = x\n${LINE}\n`).text,
    `[a]\n${LINE}\nServer = x\n${LINE}\n`,
  );
});

Deno.test("insertInclude: a repeated section gets the line each time, the options section never", () => {
  assertEquals(
    insertInclude("[a]\n[options]\nInclude = /x\n[a]\n"),
    { text: `[a]\n${LINE}\n[options]\nInclude = /x\n[a]\n${LINE}\n`, repositories: ["a", "a"] },
  );
});

Deno.test("insertInclude: any bytes are preserved, except for the inserted lines", () => {
  const piece = fc.constantFrom(
    "[core]",
    "[options]",
    LINE,
    "Server = x",
    "#",
    " ",
    "\t",
    "\r",
    "\n",
    "\r\n",
    "[",
    "]",
    "\xff",
    "\0",
    "\v",
  );
  fc.assert(fc.property(fc.array(piece), (pieces) => {
    const bytes = encodeBytes(pieces.join(""));
    const text = decodeBytes(bytes);
    assertEquals(encodeBytes(text), bytes);
    assertEquals(joinLines(splitLines(text)), text);
    const once = insertInclude(text).text;
    assertEquals(insertInclude(once).text, once);
    // Without the inserted lines, the lines are the original ones in the same order.
    const rest = splitLines(text).map(({ content }) => content.replace(/\r+$/, ""));
    for (const line of splitLines(once)) {
      const content = line.content.replace(/\r+$/, "");
      if (content === rest[0]) rest.shift();
      else assertEquals(content, LINE);
    }
    assertEquals(rest, []);
  }));
});
