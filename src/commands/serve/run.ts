/** Runs `pacserve` or `quickserve`: from the command line to a server that serves until it is told to stop. */

import { workerScope } from "../../server/confinement.ts";
import { createLog } from "../../server/log.ts";
import { flushLines, writeLine } from "../../server/line_writer.ts";
import { Supervisor, type SupervisorOptions } from "../../server/supervisor.ts";
import { runtimeWarning } from "../../version.ts";
import { requestedInformation } from "../help.ts";
import { type ParsedOptions, parseOptions } from "../parse.ts";
import { banner } from "./banner.ts";
import { type Program, serveCommand } from "./options.ts";
import { permissionsText } from "./permissions.ts";
import { Reloader } from "./reloader.ts";
import { ServiceManager } from "./service_manager.ts";
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
  const information = requestedInformation(command, options);
  if (information !== null) writeLine(information);
  else {
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
  const reloader = new Reloader(program, options, supervisor, manager, log);
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

/** Drops permissions that this command line does not need: the runtime can only drop one as a whole. */
async function dropPermissions(keepWrite: boolean): Promise<void> {
  // By default the runtime lets code be loaded from a few well-known hosts.
  await Deno.permissions.revoke({ name: "import" });
  if (!keepWrite) await Deno.permissions.revoke({ name: "write" });
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
