/** The only entry: picks the command by its first argument. */

import { Failure, UsageError } from "./failure.ts";

type Run = (words: readonly string[]) => Promise<number>;

/** Each command loads its own code only. */
const COMMANDS: Readonly<Record<string, () => Promise<Run>>> = {
  "pacserve": async () => {
    const { serve } = await import("./commands/serve/run.ts");
    return (words) => serve("pacserve", words);
  },
  "quickserve": async () => {
    const { serve } = await import("./commands/serve/run.ts");
    return (words) => serve("quickserve", words);
  },
  "pacsrv": async () => (await import("./commands/pacsrv.ts")).run,
  "pacman.conf-insert_pacserve": async () => (await import("./commands/insert_pacserve.ts")).run,
  "pacserve-status": async () => (await import("./commands/pacserve_status.ts")).run,
  "pacserve-ports": async () => (await import("./commands/pacserve_ports.ts")).run,
};

/**
 * Runs a command.
 *
 * @returns the exit status: 0, 1 for a failure, 2 for wrong usage.
 */
async function main(name: string | undefined, words: readonly string[]): Promise<number> {
  try {
    const load = Object.hasOwn(COMMANDS, name ?? "") ? COMMANDS[name ?? ""] : undefined;
    if (load === undefined) {
      throw new UsageError(
        `usage: main.ts <command> [options], where <command> is one of ${
          Object.keys(COMMANDS).join(", ")
        }`,
      );
    }
    return await (await load())(words);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.error(`${name ?? "pacserve"}: ${error.message}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

Deno.exit(await main(Deno.args[0], Deno.args.slice(1)));
