/** `--print-permissions`: the permissions that the runtime grants with this command line. */

import { PROXY_VARIABLES } from "../../pacman/proxy_environment.ts";
import { PACMAN_CONF_PLACES } from "../../pacman/read_configuration.ts";
import { databaseScope, type Scope, workerScope } from "../../server/confinement.ts";
import type { ServerConfiguration } from "../../server/configuration.ts";

/** The environment variables of systemd that the main thread may read. */
const SYSTEMD_VARIABLES = ["NOTIFY_SOCKET", "JOURNAL_STREAM", "CREDENTIALS_DIRECTORY"];

/** The variables that determine where a server that was started by hand stores its counters. */
const STATE_VARIABLES = ["XDG_STATE_HOME", "HOME"];

/**
 * Returns the permissions of the workers, and of the main thread as its launcher grants them, one on each
 * line. In the self-contained program the main thread also has the permissions of the other commands.
 */
export function permissionsText(configuration: ServerConfiguration): string {
  const scope = workerScope(configuration);
  const run = configuration.pacserve === null ? [] : PACMAN_CONF_PLACES;
  const variables = configuration.pacserve === null
    ? SYSTEMD_VARIABLES
    : [...SYSTEMD_VARIABLES, ...STATE_VARIABLES, ...PROXY_VARIABLES];
  const write = writtenText(scope, configuration);
  // pacserve needs this to find out how full the disk of its spool is.
  const mainThreadSystem = configuration.pacserve === null
    ? "networkInterfaces, hostname"
    : "networkInterfaces, hostname, statfs";
  return [
    "The worker, which answers the network, may",
    `  connect   anywhere, and listen${mdnsText(configuration)}`,
    `  read      ${list(scope.read)}`,
    `  write     ${list(scope.write)}`,
    `  system    ${scope.sys.join(", ")}`,
    "  run, load native code, see the environment, import code: nothing",
    ...databaseReaderLines(configuration),
    "The main thread, which never sees a byte from the network, may",
    "  connect   anywhere, and listen (so that it can grant that to workers)",
    "  read      any path (to read its configuration and to start workers)",
    `  write     ${write}`,
    `  run       ${list(run)}`,
    `  system    ${mainThreadSystem}`,
    `  variables ${variables.join(", ")}`,
    "  load native code, import code: nothing",
  ].join("\n");
}

/** Returns the paths that the main thread may write to, and the reasons. */
function writtenText({ write }: Scope, { status }: ServerConfiguration): string {
  const reasons = [
    ...(write.length === 0 ? [] : ["it can only grant the worker permissions that it has itself"]),
    ...(status === null || status.stateDirectory === null
      ? []
      : [`it keeps the counters in ${status.stateDirectory}`]),
  ];
  return reasons.length === 0
    ? "nothing (dropped at start, but for the service manager's socket)"
    : `any path (${reasons.join("; ")})`;
}

/** Returns the addition for multicast DNS. The runtime has no narrower permission that allows any peer. */
function mdnsText({ peers: { mdns } }: ServerConfiguration): string {
  return mdns === null ? "" : "; it does so on UDP port 5353 (--mdns)";
}

/** Returns the lines about the worker that reads sync databases; none for quickserve. */
function databaseReaderLines({ pacserve }: ServerConfiguration): string[] {
  if (pacserve === null) return [];
  return [
    "The worker that reads pacman's sync databases, started when they changed, may",
    `  read      ${list(databaseScope(pacserve.pacman).read)}`,
    "  connect, listen, write, ask the system, and all else: nothing",
  ];
}

/** Returns paths, each on its own line. */
function list(paths: readonly string[]): string {
  return paths.join("\n            ") || "nothing";
}
