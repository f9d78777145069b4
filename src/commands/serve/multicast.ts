/** `--multicast` and the options that say how. */

import type { MulticastConfiguration } from "../../peers/configuration.ts";
import { IGNORED_INTERFACES } from "../../peers/interfaces.ts";
import type { ParsedOptions } from "../parse.ts";
import { DEFAULTS, MULTICAST_INTERVAL, type Program } from "./options.ts";
import type { ConfigurationSources } from "./user_files.ts";
import { addressValue, multicastGroupValue, numberValue } from "./values.ts";

/** Options that mean nothing without `--multicast`. */
const DETAILS = ["address", "port", "group", "interval", "interface", "ignore"]
  .map((detail) => `multicast-${detail}`);

/**
 * The settings of multicast.
 *
 * @returns null without `--multicast`.
 * @throws {UsageError} for a value that cannot be meant.
 */
export function multicastSettings(
  program: Program,
  options: ParsedOptions,
  { warnings }: ConfigurationSources,
): MulticastConfiguration | null {
  if (!options.has("multicast")) {
    const idle = DETAILS.find((name) => options.has(name));
    if (idle !== undefined) warnings.push(`--${idle} changes nothing without --multicast`);
    return null;
  }
  const interfaces = options.all("multicast-interface");
  for (const name of interfaces) {
    if (!isInterface(name)) {
      // A warning only: at boot it may come up later.
      warnings.push(`--multicast-interface: this machine has no interface or address ${name} now`);
    }
  }
  const defaults = DEFAULTS[program];
  const group = options.value("multicast-group") ?? defaults.multicastGroup;
  const ignored = options.all("multicast-ignore");
  return {
    group: multicastGroupValue("--multicast-group", group),
    port: numberValue(options, "multicast-port", defaults.multicastPort, 1, 65535),
    address: addressValue("--multicast-address", options.value("multicast-address") ?? "0.0.0.0"),
    interfaces,
    ignoredInterfaces: ignored.length > 0 ? ignored : IGNORED_INTERFACES,
    interval: numberValue(options, "multicast-interval", MULTICAST_INTERVAL, 1, 86_400),
  };
}

function isInterface(text: string): boolean {
  return Deno.networkInterfaces().some(({ name, address }) => {
    return name === text || name.split(":")[0] === text || address === text;
  });
}
