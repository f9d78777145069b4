/**
 * The commands that the package installs, and what the runtime lets each of them do.
 *
 * The servers run without V8's timer that tidies an idle heap, which wakes an idle machine every few
 * seconds, and with a young generation that stays small after a rush.
 *
 * The permissions stand in one place: the tasks of `deno.json`, each of which runs one command. The
 * launchers of the bundled form and the flags of the compiled form are made of them.
 */

import manifest from "../../deno.json" with { type: "json" };
import type { Command } from "../../src/commands/command.ts";
import { INSERT_PACSERVE } from "../../src/commands/insert_pacserve.ts";
import { PACSERVE_PORTS } from "../../src/commands/pacserve_ports.ts";
import { serveCommand } from "../../src/commands/serve/options.ts";
import { PACSRV } from "./pacsrv_manual.ts";

/** How a command is started. */
export interface LaunchedCommand {
  readonly name: string;
  /** Flags of `deno run`: its permissions, and those of V8. */
  readonly permissions: readonly string[];
}

/** What `deno` is told to run the bundled form, before the permissions of a command. */
export const DENO_OPTIONS: readonly string[] = [
  "run",
  "--quiet",
  "--no-config",
  "--no-lock",
  "--cached-only",
  "--unstable-net",
  "--unstable-worker-options",
];

/** Flags of the tasks that matter only in a checkout: the installed program has no lock file. */
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
    PACSERVE_PORTS,
  ];
}
