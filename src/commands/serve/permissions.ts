/** `--print-permissions`: what the runtime lets this command line do. */

import { findPacmanConf } from "../../pacman/read_configuration.ts";
import { workerScope } from "../../server/confinement.ts";
import type { ServerConfiguration } from "../../server/configuration.ts";

/** The permissions of the worker and of the main thread, a line each. */
export function permissionsText(configuration: ServerConfiguration): string {
  const scope = workerScope(configuration);
  const run = configuration.pacserve === null ? "nothing" : findPacmanConf() ?? "nothing";
  const write = configuration.uploads === null
    ? "nothing (dropped at start, but for the service manager's socket)"
    : "any path (what the worker may write can only be granted by one that may)";
  return [
    "The worker, which answers the network, may",
    `  connect   anywhere, and listen`,
    `  read      ${scope.read.join("\n            ") || "nothing"}`,
    `  write     ${scope.write.join("\n            ") || "nothing"}`,
    `  system    ${scope.sys.join(", ")}`,
    "  run, load native code, see the environment, import code: nothing",
    "The main thread, which never sees a byte from the network, may",
    "  read      any path (to read its configuration and to start workers)",
    `  write     ${write}`,
    `  run       ${run}`,
    "  system    networkInterfaces, hostname",
    "  load native code, import code: nothing",
  ].join("\n");
}
