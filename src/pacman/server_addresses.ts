/** The addresses in a file of `Server` lines, such as `/etc/pacman.d/pacserve`. */

import { directive, splitLines } from "./lines.ts";

/**
 * The addresses of the `Server` and `CacheServer` lines of a file such as `/etc/pacman.d/pacserve`
 * (pacman.conf(5)), in order: scheme, host and port alone. Lines that hold no HTTP address are passed
 * over.
 *
 * `Server = http://localhost:15678/pacman/$repo/$arch` gives `http://localhost:15678`.
 */
export function serverAddresses(text: string): URL[] {
  const addresses = new Map<string, URL>();
  for (const { content } of splitLines(text)) {
    const { key, value } = directive(content) ?? { key: "", value: "" };
    if ((key !== "Server" && key !== "CacheServer") || !URL.canParse(value)) continue;
    const { origin, protocol } = new URL(value);
    if (protocol === "http:" || protocol === "https:") addresses.set(origin, new URL(origin));
  }
  return [...addresses.values()];
}
