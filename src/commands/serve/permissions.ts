/** `--print-permissions`: what the runtime lets this command line do. */

import { PROXY_VARIABLES } from "../../pacman/proxy_environment.ts";
import { PACMAN_CONF_PLACES } from "../../pacman/read_configuration.ts";
import { databaseScope, type Scope, workerScope } from "../../server/confinement.ts";
import type { ServerConfiguration } from "../../server/configuration.ts";

/** The environment variables of systemd that the main thread may see. */
const SYSTEMD_VARIABLES = ["NOTIFY_SOCKET", "JOURNAL_STREAM", "CREDENTIALS_DIRECTORY"];

/** The variables that say where a server that is started by hand keeps its counters. */
const STATE_VARIABLES = ["XDG_STATE_HOME", "HOME"];

/**
 * The permissions of the workers, and of the main thread as its launcher grants them, a line each. In
 * the self-contained form the main thread may also what the other commands may.
 */
export function permissionsText(configuration: ServerConfiguration): string {
  const scope = workerScope(configuration);
  const run = configuration.pacserve === null ? [] : PACMAN_CONF_PLACES;
  const variables = configuration.pacserve === null
    ? SYSTEMD_VARIABLES
    : [...SYSTEMD_VARIABLES, ...STATE_VARIABLES, ...PROXY_VARIABLES];
  const write = writtenText(scope, configuration);
  // How full the disk of its spool is, pacserve may have to know.
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

/** What the main thread may write, and why. */
function writtenText({ write }: Scope, { status }: ServerConfiguration): string {
  const reasons = [
    ...(write.length === 0
      ? []
      : ["what the worker may write can only be granted by one that may"]),
    ...(status === null || status.stateDirectory === null
      ? []
      : [`it keeps the counters in ${status.stateDirectory}`]),
  ];
  return reasons.length === 0
    ? "nothing (dropped at start, but for the service manager's socket)"
    : `any path (${reasons.join("; ")})`;
}

/** What multicast DNS adds: the runtime knows no narrower grant that lets a server have any peer. */
function mdnsText({ peers: { mdns } }: ServerConfiguration): string {
  return mdns === null ? "" : "; it does so on UDP port 5353 (--mdns)";
}

/** quickserve reads no sync databases. */
function databaseReaderLines({ pacserve }: ServerConfiguration): string[] {
  if (pacserve === null) return [];
  return [
    "The worker that reads pacman's sync databases, started when they changed, may",
    `  read      ${list(databaseScope(pacserve.pacman).read)}`,
    "  connect, listen, write, ask the system, and all else: nothing",
  ];
}

/** Paths, each on a line of its own. */
function list(paths: readonly string[]): string {
  return paths.join("\n            ") || "nothing";
}
