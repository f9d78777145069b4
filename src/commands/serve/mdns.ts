/** `--mdns`: the properties of this server that it announces by multicast DNS, and the interfaces. */

import type { ListenConfiguration } from "../../http/configuration.ts";
import type { PacserveConfiguration } from "../../pacserve/configuration.ts";
import type { MdnsConfiguration } from "../../peers/configuration.ts";
import { VERSION } from "../../version.ts";
import type { ParsedOptions } from "../parse.ts";
import { chosenInterfaces } from "./multicast.ts";

/** The files with the name of the distribution (os-release(5)). The first that exists is used. */
const OS_RELEASE = ["/etc/os-release", "/usr/lib/os-release"];

/**
 * Returns the settings of multicast DNS; null without `--mdns`, and for quickserve, which does not have
 * the option.
 */
export async function mdnsSettings(
  options: ParsedOptions,
  listen: ListenConfiguration,
  pacserve: PacserveConfiguration | null,
): Promise<MdnsConfiguration | null> {
  if (pacserve === null || !options.has("mdns")) return null;
  const { address, ipv6 } = listen;
  return {
    ...chosenInterfaces(options),
    hostName: Deno.hostname().split(".")[0] ?? "",
    listen: { address, ipv6 },
    id: await distribution(),
    arch: pacserve.pacman.architectures[0] ?? Deno.build.arch,
    version: VERSION,
  };
}

/** Returns `ID` of os-release(5); `linux`, the default there, if it is not set. */
async function distribution(): Promise<string> {
  for (const path of OS_RELEASE) {
    let text: string;
    try {
      text = await Deno.readTextFile(path);
    } catch {
      continue;
    }
    return /^ID=["']?([a-z0-9._-]+)["']?\s*$/m.exec(text)?.[1] ?? "linux";
  }
  return "linux";
}
