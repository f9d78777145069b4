/** The pages of doc/tasks: they are man pages, the first lists the others, and their options exist. */

import { fileURLToPath } from "node:url";
import { optionsOf } from "../../../src/commands/command.ts";
import { Failure } from "../../../src/failure.ts";
import { installedCommands } from "../../../scripts/build/commands.ts";
import { taskPage } from "../../../scripts/build/task_page.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "../../assert.ts";

const DIRECTORY = fileURLToPath(new URL("../../../doc/tasks/", import.meta.url));
const INDEX = "README.md";
const DATE = new Date("2026-11-26T12:00:00Z");

/** Greatest number of lines of a page. */
const MAX_LINES = 62;

/** Columns of a terminal, minus the indent of a command in a numbered list of a man page. */
const MAX_COMMAND = 69;

/** The texts of the pages by their file names. */
const pages = new Map(
  [...Deno.readDirSync(DIRECTORY)].map((
    { name },
  ) => [name, Deno.readTextFileSync(DIRECTORY + name)]),
);

/** Returns the texts between backquotes, and the blocks of commands, in which a backslash continues a line. */
function codeOf(text: string): string[] {
  const blocks = text.match(/^ {4,}\S.*$/gm) ?? [];
  const spans = [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code ?? "");
  return [...blocks.join("\n").replaceAll(/\\\n\s*/g, " ").split("\n"), ...spans];
}

/** Returns the options in a page, each with its command. */
function namedOptions(text: string): { command: string; option: string }[] {
  return codeOf(text).flatMap((code) => {
    const [, words = code] = /PACSERVE_ARGS="([^"]*)"/.exec(code) ?? [];
    // Without a command, and in the file of the service, an option belongs to pacserve.
    const command = words.trim().startsWith("--")
      ? "pacserve"
      : words.trim().split(/\s+/).find((word) => !word.includes("=")) ?? "";
    return (words.match(/(?<=^|\s)--[a-z][\w-]*/g) ?? [])
      .map((option) => ({ command, option }));
  });
}

Deno.test("doc/tasks: each page becomes a man page, and is short", () => {
  for (const [file, text] of pages) {
    const { name, source } = taskPage(text, DATE);
    assertStringIncludes(source, `.Nm "${name.replaceAll("-", "\\-")}"\n`);
    assert(text.trimEnd().split("\n").length <= MAX_LINES, `${file} has too many lines`);
    for (const line of text.match(/^ {4,}\S.*$/gm) ?? []) {
      assert(line.trim().length <= MAX_COMMAND, `${file} has a long line: ${line.trim()}`);
    }
  }
});

Deno.test("doc/tasks: pacserve-tasks(7) lists every page by its name, and each page refers to it", () => {
  const listed = [...pages.get(INDEX)?.matchAll(/^- \[(\S+)\(7\)\]\((\S+)\): /gm) ?? []]
    .map(([, name, file]) => [file, name]);
  const others = [...pages].filter(([file]) => file !== INDEX);
  assertEquals(
    listed.toSorted(),
    others.map(([file, text]) => [file, taskPage(text, DATE).name]).toSorted(),
  );
  for (const [file, text] of others) {
    assertStringIncludes(text, "[pacserve-tasks(7)](README.md)", file);
    const targets = [...text.matchAll(/\]\(([^)#]+)\)/g)].map(([, target]) => target ?? "");
    assertEquals(targets.filter((target) => !pages.has(target)), [], file);
  }
});

Deno.test("doc/tasks: each option in a page exists in the command that the page names it for", () => {
  const known = new Map(
    installedCommands().map((command) => [
      command.name,
      new Set(optionsOf(command).map(({ name }) => `--${name}`)),
    ]),
  );
  let found = 0;
  for (const [file, text] of pages) {
    for (const { command, option } of namedOptions(text)) {
      // pacsrv passes its options on to pacman.
      const options = command === "pacsrv" ? undefined : known.get(command);
      if (options === undefined) continue;
      found++;
      assert(options.has(option), `${file}: ${command} has no option ${option}`);
    }
  }
  assert(found > 10, "the options were not found");
});

Deno.test("doc/tasks: options are found alone, in commands, and after PACSERVE_ARGS", () => {
  const text = '`--peer http://a/` `PACSERVE_ARGS="--mdns x"`\n\n    quickserve --root a \\\n' +
    "        --qr\n    pacman --sync\n";
  assertEquals(
    namedOptions(text).map(({ command, option }) => `${command} ${option}`).toSorted(),
    ["pacman --sync", "pacserve --mdns", "pacserve --peer", "quickserve --qr", "quickserve --root"],
  );
});

Deno.test("taskPage: characters that are special in roff or a shell are escaped", () => {
  const page = (body: string): string =>
    taskPage(`# pacserve-x(7) - do x\n\n${body}\n\n## See also\n\npacman(8), curl(1)\n`, DATE)
      .source;
  assertStringIncludes(page("    .hidden '~' \\ `x` ^"), "\n\\&.hidden \\(aq\\(ti\\(aq \\e");
  assertStringIncludes(page("Run `a 'b' --c`."), "Run \\fB\\%a\\~\\%\\(aqb\\(aq\\~\\%\\-\\-c\\fR.");
  assertStringIncludes(page("x"), '.Sh SEE ALSO\n.Xr "curl" 1 ,\n.Xr "pacman" 8\n');
  for (
    const body of ["| a |\n|---|\n| b |", "> a", "![a](b.png)", "a &amp; b", "<b>a</b>", "[a](b)"]
  ) {
    assertThrows(() => page(body), Failure, "a man page cannot show");
  }
  assertThrows(() => taskPage("# x\n", DATE), Failure, "a page begins with a title");
});
