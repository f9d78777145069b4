import fc from "fast-check";
import { insertInclude } from "../../../src/pacman/insert.ts";
import { decodeBytes, encodeBytes, joinLines, splitLines } from "../../../src/pacman/lines.ts";
import { assertEquals } from "../../assert.ts";

const LINE = "Include = /etc/pacman.d/pacserve";

Deno.test("each repository section begins with the Include line", () => {
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

Deno.test("odd spacing is kept, and CRLF is carried on", () => {
  assertEquals(
    insertInclude("[options]\r\n\t[ core ] \r\nServer=x\r\n").text,
    `[options]\r\n\t[ core ] \r\n${LINE}\r\nServer=x\r\n`,
  );
  // Mixed endings: the inserted line is like the one above it.
  assertEquals(insertInclude("[a]\n[b]\r\n").text, `[a]\n${LINE}\n[b]\r\n${LINE}\r\n`);
});

Deno.test("comments that look like sections, and sections that are none, get nothing", () => {
  for (
    const text of ["#[testing]\n", "  # [testing]\n", "[core] # no\n", "[core\n", "[]\n", "core]\n"]
  ) {
    assertEquals(insertInclude(text), { text, repositories: [] });
  }
});

Deno.test("a file without repository, an empty one and one of blank lines are unchanged", () => {
  for (const text of ["", "\n", "\n\n", "[options]\nColor\n", "[options]", "Color", "\r\n"]) {
    assertEquals(insertInclude(text), { text, repositories: [] });
  }
});

Deno.test("a missing line end at the end of the file stays missing", () => {
  assertEquals(insertInclude("[core]").text, `[core]\n${LINE}`);
  assertEquals(insertInclude("[options]\r\n[core]").text, `[options]\r\n[core]\r\n${LINE}`);
  assertEquals(insertInclude("[core]\nServer = x").text, `[core]\n${LINE}\nServer = x`);
});

Deno.test("an Include that stands there already, however spaced, is not doubled", () => {
  for (
    const text of [
      "[core]\n  Include=/etc/pacman.d/pacserve  \nServer = x\n",
      "[core]\n\n# local\nInclude =\t/etc/pacman.d/pacserve\r\n",
    ]
  ) assertEquals(insertInclude(text).text, text);
  // Of another section, or behind another line: it is not the first of this one.
  assertEquals(
    insertInclude("[a]\n[b]\nInclude = /etc/pacman.d/pacserve\n").text,
    `[a]\n${LINE}\n[b]\n${LINE}\n`,
  );
  assertEquals(
    insertInclude(`[a]\nServer = x\n${LINE}\n`).text,
    `[a]\n${LINE}\nServer = x\n${LINE}\n`,
  );
});

Deno.test("a section that is repeated gets its line each time; the options section never", () => {
  assertEquals(
    insertInclude("[a]\n[options]\nInclude = /x\n[a]\n"),
    { text: `[a]\n${LINE}\n[options]\nInclude = /x\n[a]\n${LINE}\n`, repositories: ["a", "a"] },
  );
});

Deno.test("any bytes come out as they went in, but for the inserted lines", () => {
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
    // Without what was inserted, in order, the lines are those of before.
    const rest = splitLines(text).map(({ content }) => content.replace(/\r+$/, ""));
    for (const line of splitLines(once)) {
      const content = line.content.replace(/\r+$/, "");
      if (content === rest[0]) rest.shift();
      else assertEquals(content, LINE);
    }
    assertEquals(rest, []);
  }));
});
