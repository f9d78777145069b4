/**
 * The commands that the package installs, and the permissions of each.
 *
 * The permissions are defined in one place: the tasks of `deno.json`, each of which runs a command. The
 * launchers of the bundled form and the flags of the compiled form are derived from them.
 *
 * The tasks of the servers also have flags for V8: one disables a timer for cleaning the idle heap,
 * which would wake an idle machine every few seconds; another keeps the young generation of the heap
 * small after a time of high load.
 */

import manifest from "../../deno.json" with { type: "json" };
import type { Command } from "../../src/commands/command.ts";
import { INSERT_PACSERVE } from "../../src/commands/insert_pacserve.ts";
import { PACSERVE_PORTS } from "../../src/commands/pacserve_ports.ts";
import { PACSERVE_STATUS } from "../../src/commands/pacserve_status_command.ts";
import { serveCommand } from "../../src/commands/serve/options.ts";
import { PACSRV } from "./pacsrv_manual.ts";

/** A command and the flags with which it is started. */
export interface LaunchedCommand {
  readonly name: string;
  /** Flags of `deno run`: permissions, and flags for V8. */
  readonly permissions: readonly string[];
}

/** Arguments of `deno` to run the bundled form; the permissions of a command follow them. */
export const DENO_OPTIONS: readonly string[] = [
  "run",
  "--quiet",
  "--no-config",
  "--no-lock",
  "--cached-only",
  "--unstable-net",
  "--unstable-worker-options",
];

/** Flags of the tasks that are needed only in a checkout: the installed program has no lock file. */
const CHECKOUT_ONLY = new Set(["--frozen", "--quiet"]);

const TASK = /^deno run (?<flags>.*) src\/main\.ts (?<name>\S+)$/;

/** All commands, in the order of the tasks. */
export function launchedCommands(): LaunchedCommand[] {
  return Object.values(manifest.tasks).flatMap((task) => {
    const { flags, name } = TASK.exec(task)?.groups ?? {};
    if (flags === undefined || name === undefined) return [];
    return [{ name, permissions: flags.split(" ").filter((flag) => !CHECKOUT_ONLY.has(flag)) }];
  });
}

/** The tables of the installed commands, for man pages and completions. */
export function installedCommands(): Command[] {
  return [
    serveCommand("pacserve"),
    serveCommand("quickserve"),
    PACSRV,
    INSERT_PACSERVE,
    PACSERVE_STATUS,
    PACSERVE_PORTS,
  ];
}
