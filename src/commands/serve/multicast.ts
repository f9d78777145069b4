/** `--multicast` and the options that go with it. */

import type { MulticastConfiguration } from "../../peers/configuration.ts";
import { IGNORED_INTERFACES } from "../../peers/interfaces.ts";
import type { ParsedOptions } from "../parse.ts";
import { DEFAULTS, MULTICAST_INTERVAL, type Program } from "./options.ts";
import type { ConfigurationSources } from "./user_files.ts";
import { addressValue, multicastGroupValue, numberValue } from "./values.ts";

/** Options that change nothing without `--multicast`. */
const DETAILS = ["address", "port", "group", "interval"].map((detail) => `multicast-${detail}`);

/** Options that change nothing without `--multicast` or `--mdns`. */
const INTERFACES = ["multicast-interface", "multicast-ignore"];

/** Returns the interfaces that multicast and multicast DNS use. */
export function chosenInterfaces(
  options: ParsedOptions,
): Pick<MulticastConfiguration, "interfaces" | "ignoredInterfaces"> {
  const ignored = options.all("multicast-ignore");
  return {
    interfaces: options.all("multicast-interface"),
    ignoredInterfaces: ignored.length > 0 ? ignored : IGNORED_INTERFACES,
  };
}

/**
 * Returns the settings of multicast; null without `--multicast`.
 *
 * @throws {UsageError} when the value of an option is wrong.
 */
export function multicastSettings(
  program: Program,
  options: ParsedOptions,
  { warnings }: ConfigurationSources,
): MulticastConfiguration | null {
  if (!options.has("multicast")) {
    const details = options.has("mdns") ? DETAILS : [...DETAILS, ...INTERFACES];
    const idle = details.find((name) => options.has(name));
    if (idle !== undefined) warnings.push(`--${idle} changes nothing without --multicast`);
  }
  for (const name of options.all("multicast-interface")) {
    if (!isInterface(name)) {
      // Only warn: at boot the interface may come up later.
      warnings.push(`--multicast-interface: this machine has no interface or address ${name} now`);
    }
  }
  if (!options.has("multicast")) return null;
  const defaults = DEFAULTS[program];
  const group = options.value("multicast-group") ?? defaults.multicastGroup;
  return {
    ...chosenInterfaces(options),
    group: multicastGroupValue("--multicast-group", group),
    port: numberValue(options, "multicast-port", defaults.multicastPort, 1, 65535),
    address: addressValue("--multicast-address", options.value("multicast-address") ?? "0.0.0.0"),
    interval: numberValue(options, "multicast-interval", MULTICAST_INTERVAL, 1, 86_400),
  };
}

function isInterface(text: string): boolean {
  return Deno.networkInterfaces().some(({ name, address }) => {
    return name === text || name.split(":")[0] === text || address === text;
  });
}
