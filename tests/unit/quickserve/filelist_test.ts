import { Failure } from "../../../src/failure.ts";
import { parseFilelist, positionalShares } from "../../../src/quickserve/filelist.ts";
import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "../../assert.ts";
import { share } from "./trees.ts";

Deno.test("positionalShares: paths on the command line are shared under their own names", () => {
  assertEquals(positionalShares(["/srv/a/", "b/c.txt", "../d", "."], "/home/alice"), [
    share("a", "/srv/a"),
    share("c.txt", "/home/alice/b/c.txt"),
    share("d", "/home/d"),
    share("alice", "/home/alice"),
  ]);
  assertEquals(positionalShares(["/"], "/home"), [share("", "/")]);
  const failure = assertThrows(() => positionalShares(["/a/x", "/b/x"], "/"), Failure);
  assertStringIncludes(failure.message, "/a/x and /b/x");
  assertThrows(() => positionalShares([""], "/"), Failure, "empty");
  assertThrows(() => positionalShares(["a\0b"], "/"), Failure, "NUL");
});

Deno.test("parseFilelist: a plain filelist has one path per line", async () => {
  const text = "\ufeff/srv/a\r\n\n  \n# music\nb c/d\n  #/x\n/e\n./#1";
  assertEquals(await parseFilelist(text, "/etc/list"), [
    share("a", "/srv/a"),
    share("d", "/etc/b c/d"),
    share("e", "/e"),
    share("#1", "/etc/#1"),
  ]);
  assertEquals(await parseFilelist("", "/etc/list"), []);
  await assertRejects(() => parseFilelist("/a/x\n\n/b/x", "/etc/list"), Failure, "/etc/list:3: ");
});

Deno.test("parseFilelist: a JSON filelist maps server paths to files and lists of directories", async () => {
  const text = `{
    "pkg": ["/var/lib/pacman/sync", "more"],
    "/a/b//c/": "../single.txt",
    "": [],
    "__proto__": "/p",
    "constructor": "/q"
  }`;
  assertEquals(await parseFilelist(text, "/etc/x/list.json"), [
    share("pkg", "/var/lib/pacman/sync", "/etc/x/more"),
    share("a/b/c", "/etc/single.txt"),
    share(""),
    share("__proto__", "/p"),
    share("constructor", "/q"),
  ]);
});

Deno.test("parseFilelist: an error in a JSON filelist contains line and column", async () => {
  for (
    const [text, expected] of [
      ['{\n  "a": 5}', "list:2:8: "],
      ['{"a": {"b": "c"}}', "list:1:7: "],
      ['{"a": ["/x", null]}', "list:1:14: "],
      ['{"a": [["/x"]]}', "list:1:8: "],
      ['{"a": true}', "not a string"],
      ['{"a": "/x",\n "a": "/y"}', 'list:2:2: "/a" is listed twice'],
      ['{"a": "/x", "/a/": "/y"}', "list:1:13: "],
      ['{"a": "/x",}', "list:1:12: this is not valid JSON: remove the comma before }"],
      ['{"a": "/x"', "list:1:11: this is not valid JSON: the file ends too early"],
      ['{"a": "/x"} // no', "list:1:13: this is not valid JSON: comments are not allowed"],
      ['{"a": "/x"\r\n "b": "/y"}', "list:2:2: this is not valid JSON: a comma or a colon is mis"],
      ['{"a" "/x"}', "list:1:6: this is not valid JSON: a comma or a colon is missing"],
      ["{\n\n  a: 1}", "list:3:3: this is not valid JSON: put names and paths in double quotes"],
      ['{"a": }', 'list:1:7: this is not valid JSON: "}" is not expected here'],
      ['{"a": "\\q"}', "list:1:8: this is not valid JSON: write a backslash in a string twice"],
      ['\n ["/a"]', "list:2:2: this is not a JSON filelist: it has to begin with {"],
      ['{"../a": "/x"}', "list:1:2: "],
      ['{"a/./b": "/x"}', "cannot be a name"],
      ['{"a\\u0000": "/x"}', "cannot be a name"],
      ['{"a": ""}', "list:1:7: a path is empty"],
      ["{".repeat(10_000), "list:1:2: "],
      [`{"a": ${"[".repeat(100_000)}`, "nested too deeply"],
    ] as const
  ) {
    await assertRejects(() => parseFilelist(text, "/etc/list"), Failure, expected);
  }
});

Deno.test("parseFilelist: a file named .json is read as JSON, never as a plain list", async () => {
  const list = "/etc/list.json";
  const wrong = "this is not a JSON filelist: it has to begin with {";
  for (
    const [text, place] of [
      ['"a": "/x"\n}', "1:1"],
      ['\ufeff// music\n{"a": "/x"}', "1:1"],
      ["\n  /srv/music\n", "2:3"],
      ["", "1:1"],
    ] as const
  ) {
    await assertRejects(() => parseFilelist(text, list), Failure, `${list}:${place}: ${wrong}`);
  }
  assertEquals(await parseFilelist('\n{"a": "/x"}', list), [share("a", "/x")]);
});
