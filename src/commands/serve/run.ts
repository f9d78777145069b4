/** Runs `pacserve` or `quickserve`: reads the command line, starts the server, and stops it on a signal. */

import { workerScope } from "../../server/confinement.ts";
import { createLog } from "../../server/log.ts";
import { flushLines, writeLine } from "../../server/line_writer.ts";
import { Supervisor, type SupervisorOptions } from "../../server/supervisor.ts";
import { runtimeWarning } from "../../version.ts";
import { optionsUnlessHelp } from "../help.ts";
import type { ParsedOptions } from "../parse.ts";
import { banner } from "./banner.ts";
import { type Program, serveCommand } from "./options.ts";
import { permissionsText } from "./permissions.ts";
import { Reloader } from "./reloader.ts";
import { ServiceManager } from "./service_manager.ts";
import { readSettings, type ServeSettings } from "./settings.ts";

/** The time in milliseconds in which transfers can finish when the server stops. */
const GRACE = 1500;

/**
 * Runs a server until it stops.
 *
 * @param supervision replaces the usual way to start workers.
 * @returns the exit status.
 * @throws {UsageError} for a wrong command line.
 * @throws {Failure} when the server cannot start or cannot continue.
 */
export async function serve(
  program: Program,
  words: readonly string[],
  supervision: Partial<SupervisorOptions> = {},
): Promise<number> {
  const options = await optionsUnlessHelp(serveCommand(program), words);
  if (options === null) return 0;
  const settings = await readSettings(program, options);
  if (options.has("print-permissions")) writeLine(permissionsText(settings.configuration));
  else await serveUntilStopped(program, options, settings, supervision);
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
  const notifySocket = Deno.env.get("NOTIFY_SOCKET");
  const keepsCounters = configuration.status !== null &&
    configuration.status.stateDirectory !== null;
  const writes = workerScope(configuration).write.length > 0 || keepsCounters;
  await dropPermissions(writes || notifySocket !== undefined);
  const log = createLog(configuration.log);
  const manager = new ServiceManager(notifySocket, log);
  const ended = Promise.withResolvers<void>();
  const supervisor = new Supervisor(configuration, log, supervision);
  const untested = runtimeWarning();
  if (untested !== null) log.warn(untested);
  const reloader = new Reloader({ program, options, supervisor, manager, log });
  reloader.warn(settings);
  await supervisor.start();
  reloader.watch(settings);
  // Install signal handlers before announcing readiness: a supervisor may signal immediately.
  handleSignals(() => ended.resolve(), () => reloader.reload());
  if (configuration.log.level !== "quiet") {
    writeLine(await banner(configuration, supervisor.port, options.has("qr")));
  }
  await manager.tell("READY=1", `STATUS=Listening on port ${supervisor.port}`);
  try {
    await Promise.race([ended.promise, supervisor.gaveUp]);
    await manager.tell("STOPPING=1");
    await supervisor.stop(GRACE);
  } finally {
    reloader.close();
  }
}

/** Drops each permission that this command line does not need at all: the runtime cannot narrow one. */
async function dropPermissions(keepWrite: boolean): Promise<void> {
  // By default the runtime allows loading code from a few well-known hosts.
  await Deno.permissions.revoke({ name: "import" });
  if (!keepWrite) await Deno.permissions.revoke({ name: "write" });
}

/**
 * Makes Ctrl-C and SIGTERM stop the server, which takes at most {@link GRACE}, and SIGHUP read the settings
 * again. A signal can arrive twice: from the terminal, and passed on by `deno task`.
 */
function handleSignals(stop: () => void, reload: () => void): void {
  Deno.addSignalListener("SIGINT", stop);
  Deno.addSignalListener("SIGTERM", stop);
  Deno.addSignalListener("SIGHUP", reload);
}
