import { assert, assertEquals } from "../../../assert.ts";
import { numberedName, uploadNameProblem } from "../../../../src/quickserve/uploads/names.ts";

/** Names that no upload may have. */
const HOSTILE = [
  "",
  " ",
  "\t",
  ".",
  "..",
  "../x",
  "..\\x",
  "/etc/passwd",
  "a/b",
  "a\\b",
  "C:\\x",
  "a\0b",
  "a\nb",
  "a\x1b[2Jb",
  "a\x7fb",
  "a\u0085b",
  "a\u202egpj.exe",
  "a\u2028b",
  "a\ufffdb",
  "\ud800",
  "x".repeat(256),
  "ä".repeat(128),
  "x".repeat(5000),
  ".pacserve-upload-0123456789abcdef01234567.part",
];

Deno.test("uploadNameProblem: refuses paths, misleading names and impossible names with a reason", () => {
  for (const name of HOSTILE) {
    const problem = uploadNameProblem(name, true);
    assert(problem !== null && problem.endsWith("."), JSON.stringify(name));
  }
});

Deno.test("uploadNameProblem: accepts all other names", () => {
  for (
    const name of [
      "a",
      "foo-1:2.0+r1-1-x86_64.pkg.tar.zst",
      "...",
      "a..b",
      "-rf",
      "~",
      "ä b  c",
      "👩‍🚀.jpg",
      "con",
      "a%2Fb",
      "%00",
      "__proto__",
      "<script>",
      `"'`,
      "x".repeat(255),
    ]
  ) {
    assertEquals(uploadNameProblem(name, true), null, name);
  }
});

Deno.test("uploadNameProblem: accepts hidden names only with showHidden", () => {
  assert(uploadNameProblem(".bashrc", false) !== null);
  assertEquals(uploadNameProblem(".bashrc", true), null);
});

Deno.test("numberedName: numbers", () => {
  assertEquals(numberedName("a.txt", 0), "a.txt");
  for (
    const [name, numbered] of [
      ["a.txt", "a.12.txt"],
      ["a.b.JPEG", "a.b.12.JPEG"],
      ["a.tar.gz", "a.12.tar.gz"],
      ["foo-1:2.0-1-any.pkg.tar.zst", "foo-1:2.0-1-any.12.pkg.tar.zst"],
      ["clip.mp4", "clip.12.mp4"],
      ["foo-1.2", "foo-1.2.12"],
      ["notes", "notes.12"],
      [".hidden", ".hidden.12"],
      [".bashrc.bak", ".bashrc.12.bak"],
      ["a.", "a..12"],
    ] as const
  ) assertEquals(numberedName(name, 12), numbered);
  assertEquals(numberedName("x".repeat(254), 1), `${"x".repeat(253)}.1`);
  assertEquals(numberedName(`${"日".repeat(83)}ab.jpg`, 12), `${"日".repeat(82)}.12.jpg`);
  assertEquals(numberedName(`${"😀".repeat(63)}.7z`, 1), `${"😀".repeat(62)}.1.7z`);
});
