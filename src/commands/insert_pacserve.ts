/** The command `pacman.conf-insert_pacserve`: prints pacman.conf with pacserve in each repository. */

import { UsageError } from "../failure.ts";
import { readBytes, writeOutput } from "../files.ts";
import { includedFiles } from "../pacman/included_files.ts";
import { insertInclude, PACSERVE_INCLUDE } from "../pacman/insert.ts";
import { decodeBytes, encodeBytes } from "../pacman/lines.ts";
import type { Command } from "./command.ts";
import { optionsUnlessHelp } from "./help.ts";

/** The table of the command. */
export const INSERT_PACSERVE: Command = {
  name: "pacman.conf-insert_pacserve",
  section: 8,
  summary: "show pacman.conf with pacserve in each repository",
  description: [
    `Prints a configuration of pacman with "Include = ${PACSERVE_INCLUDE}" as the first line of ` +
    "each repository. Nothing else is changed, and the file itself is not touched.",
    "If included files define repositories too, it names these files and repositories on the standard " +
    "error: insert the line in these files as well.",
  ],
  positional: {
    metavariable: "[<filepath>]",
    help: "The configuration to read. Default: /etc/pacman.conf.",
  },
  groups: [],
  examples: [
    {
      command: "pacman.conf-insert_pacserve | diff /etc/pacman.conf -",
      explanation: "See which lines would be inserted:",
    },
  ],
};

/**
 * Prints the configuration with the lines inserted.
 *
 * @throws {Failure} when the configuration cannot be read.
 */
export async function run(words: readonly string[]): Promise<number> {
  const options = await optionsUnlessHelp(INSERT_PACSERVE, words);
  if (options === null) return 0;
  const [path = "/etc/pacman.conf", surplus] = options.positional;
  if (surplus !== undefined) {
    throw new UsageError(`${INSERT_PACSERVE.name} takes only one file; remove "${surplus}"`);
  }
  const { text } = insertInclude(decodeBytes(await readBytes(path)));
  await writeOutput(encodeBytes(text));
  for (const { file, repositories } of await repositoriesElsewhere(path)) {
    const names = repositories.join(", ");
    console.error(
      `${INSERT_PACSERVE.name}: ${file} also defines ${names}; to print it with the line, run: ` +
        `${INSERT_PACSERVE.name} ${file}`,
    );
  }
  return 0;
}

/** Returns the included files of a configuration that define repositories, with the names of these. */
async function repositoriesElsewhere(
  path: string,
): Promise<{ readonly file: string; readonly repositories: readonly string[] }[]> {
  const found = [];
  for (const file of (await includedFiles(path)).files.slice(1)) {
    // pacman itself reports included files that are missing or unreadable.
    const bytes = await Deno.readFile(file).catch(() => new Uint8Array());
    const repositories = [...new Set(insertInclude(decodeBytes(bytes)).repositories)];
    if (repositories.length > 0) found.push({ file, repositories });
  }
  return found;
}
