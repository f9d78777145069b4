import { nearestOption } from "../../../src/commands/nearest_option.ts";
import { serveCommand } from "../../../src/commands/serve/options.ts";
import { optionsOf } from "../../../src/commands/command.ts";
import { assertEquals } from "../../assert.ts";

const names = optionsOf(serveCommand("pacserve")).map(({ name }) => name);

Deno.test("nearestOption: finds the option that a mistyped one was meant to be", () => {
  const cases: [string, string | null][] = [
    ["prot", "port"],
    ["prt", "port"],
    ["auht", "auth"],
    ["filterlst", "filterlist"],
    ["ulpoad", "upload"],
    ["mtod", "motd"],
    ["cert-file", "certfile"],
    ["multicast-grp", "multicast-group"],
    ["allow-overwite", "allow-overwrite"],
    ["pacman", "pacman-conf"],
    ["multi", "multicast"],
    ["x", null],
    ["foo", null],
    ["food", null],
    ["zz", null],
    ["recursive", null],
    ["", null],
  ];
  for (const [word, meant] of cases) assertEquals(nearestOption(word, names), meant, word);
});
