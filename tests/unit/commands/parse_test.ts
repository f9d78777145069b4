import { PACSERVE_STATUS } from "../../../src/commands/pacserve_status_command.ts";
import { serveCommand } from "../../../src/commands/serve/options.ts";
import { parseOptions } from "../../../src/commands/parse.ts";
import { UsageError } from "../../../src/failure.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "../../assert.ts";

const quickserve = serveCommand("quickserve");

Deno.test("parseOptions: a value can follow its option, an equals sign, or the letter", () => {
  for (const words of [["--port", "81"], ["--port=81"], ["-p", "81"], ["-p81"]]) {
    assertEquals(parseOptions(quickserve, words).value("port"), "81");
  }
});

Deno.test("parseOptions: letters of options without values can be joined, also with one that has a value", () => {
  for (const words of [["-w", "-n", "5"], ["-wn", "5"], ["-wn5"], ["-n5", "-w"]]) {
    const options = parseOptions(PACSERVE_STATUS, words);
    assertEquals([options.has("watch"), options.value("interval")], [true, "5"], words.join(" "));
  }
  assertThrows(() => parseOptions(PACSERVE_STATUS, ["-wz"]), UsageError, "unknown option -z");
  assertThrows(() => parseOptions(PACSERVE_STATUS, ["-w-"]), UsageError, "unknown option -w-");
  assertThrows(() => parseOptions(PACSERVE_STATUS, ["--watch=n5"]), UsageError, "takes no value");
});

Deno.test("parseOptions: a user and a password may begin with a dash or be digits", () => {
  const options = parseOptions(quickserve, ["--auth", "-a", "--ssl", "--auth", "12", "34", "file"]);
  assertEquals(options.tuples("auth"), [["-a", "--ssl"], ["12", "34"]]);
  assertEquals(options.positional, ["file"]);
  assert(!options.has("ssl"));
});

Deno.test("parseOptions: all formats that follow --tar belong to it, and other words are paths", () => {
  const options = parseOptions(quickserve, ["--tar", "gz", "zip", "music", "--tar", "zst"]);
  assertEquals(options.tuples("tar"), [["gz", "zip"], ["zst"]]);
  assertEquals(options.positional, ["music"]);
});

Deno.test("parseOptions: words after two dashes are paths", () => {
  const options = parseOptions(quickserve, ["--ssl", "--", "--ssl", "-p"]);
  assertEquals(options.positional, ["--ssl", "-p"]);
});

Deno.test("parseOptions: wrong usage throws an error of one sentence", () => {
  const cases: [string[], string][] = [
    [["--filterlst", "x"], "unknown option --filterlst (did you mean --filterlist?)"],
    [["-z"], "unknown option -z (see --help)"],
    [["--port"], "--port needs a value: <port>"],
    [["--port="], "--port needs a value: <port>"],
    [["--auth", "alice"], "--auth needs 2 values: <user> <password>"],
    [["--ssl=yes"], "--ssl takes no value"],
    [["--port", "1", "-p", "2"], "--port was given twice"],
    [["--tar", "rar"], '--tar: "rar" is not one of none, gz, zst, zip'],
  ];
  for (const [words, message] of cases) {
    const error = assertThrows(() => parseOptions(quickserve, words), UsageError);
    assertStringIncludes(error.message, message);
  }
});
