/** Runs `pacserve` or `quickserve`: from the command line to a server that serves until it is told to stop. */

import { messageOf } from "../../failure.ts";
import { workerScope } from "../../server/confinement.ts";
import { createLog, type Log } from "../../server/log.ts";
import { flushLines, writeLine } from "../../server/line_writer.ts";
import { notifyServiceManager } from "../../server/service_manager.ts";
import { Supervisor, type SupervisorOptions } from "../../server/supervisor.ts";
import { VERSION } from "../../version.ts";
import { helpText } from "../help.ts";
import { type ParsedOptions, parseOptions } from "../parse.ts";
import { banner } from "./banner.ts";
import { type Program, serveCommand } from "./options.ts";
import { permissionsText } from "./permissions.ts";
import { Reloader } from "./reloader.ts";
import { readSettings, type ServeSettings } from "./settings.ts";

/** Milliseconds that transfers in flight have when the server is told to stop. */
const GRACE = 1500;

/**
 * Runs a server.
 *
 * @param supervision how workers are started, where it is not as always.
 * @returns the exit status.
 * @throws {UsageError} for a wrong command line.
 * @throws {Failure} when it cannot start, or cannot go on.
 */
export async function serve(
  program: Program,
  words: readonly string[],
  supervision: Partial<SupervisorOptions> = {},
): Promise<number> {
  const command = serveCommand(program);
  const options = parseOptions(command, words);
  if (options.has("help")) {
    writeLine(helpText(command).trimEnd());
  } else if (options.has("version")) {
    writeLine(`${program} ${VERSION}`);
  } else {
    const settings = await readSettings(program, options);
    if (options.has("print-permissions")) writeLine(permissionsText(settings.configuration));
    else await serveUntilStopped(program, options, settings, supervision);
  }
  await flushLines();
  return 0;
}

async function serveUntilStopped(
  program: Program,
  options: ParsedOptions,
  settings: ServeSettings,
  supervision: Partial<SupervisorOptions>,
): Promise<void> {
  const { configuration } = settings;
  const manager = Deno.env.get("NOTIFY_SOCKET");
  await dropPermissions(workerScope(configuration).write.length > 0 || manager !== undefined);
  const log = createLog(configuration.log);
  const ended = Promise.withResolvers<void>();
  const supervisor = new Supervisor(configuration, {
    warn: (message) => log.warn(message),
    gaveUp: (failure) => ended.reject(failure),
  }, supervision);
  const warn = warner(log);
  warn(settings);
  await supervisor.start();
  const tell = teller(manager, log);
  const reloader = new Reloader({
    read: (sources) => readSettings(program, options, sources),
    configure: (next) => supervisor.configure(next),
    warn,
    tell,
    log,
  });
  reloader.watch(settings);
  // Before anybody is told that the server runs: whoever is may ask it to stop at once.
  handleSignals(() => ended.resolve(), () => reloader.reload());
  if (configuration.log.level !== "quiet") {
    writeLine(await banner(configuration, supervisor.port, options.has("qr")));
  }
  await tell("READY=1", `STATUS=Listening on port ${supervisor.port}`);
  try {
    await ended.promise;
    await tell("STOPPING=1");
    await supervisor.stop(GRACE);
  } finally {
    reloader.close();
  }
}

/** Gives up what this command line does not need: the runtime can only drop a permission whole. */
async function dropPermissions(keepWrite: boolean): Promise<void> {
  // Without being told so, the runtime lets code be loaded from a few well-known hosts.
  await Deno.permissions.revoke({ name: "import" });
  if (!keepWrite) await Deno.permissions.revoke({ name: "write" });
}

/** Writes the warnings of settings, each once: those that are read again mostly say the same. */
function warner(log: Log): (settings: ServeSettings) => void {
  const said = new Set<string>();
  return ({ sources }) => {
    for (const warning of sources.warnings) {
      if (!said.has(warning)) log.warn(warning);
      said.add(warning);
    }
  };
}

/** Tells the service manager something; that it cannot be told is no reason to stop. */
function teller(
  manager: string | undefined,
  log: Log,
): (...lines: readonly string[]) => Promise<void> {
  return async (...lines) => {
    try {
      await notifyServiceManager(manager, ...lines);
    } catch (error) {
      log.warn(`the service manager cannot be told ${lines[0]}: ${messageOf(error)}`);
    }
  };
}

/**
 * Ctrl-C and SIGTERM stop the server, which takes no longer than the grace; SIGHUP reads the settings
 * again. A signal may come twice: from the terminal, and passed on by `deno task`.
 */
function handleSignals(stop: () => void, reload: () => void): void {
  Deno.addSignalListener("SIGINT", stop);
  Deno.addSignalListener("SIGTERM", stop);
  Deno.addSignalListener("SIGHUP", reload);
}
