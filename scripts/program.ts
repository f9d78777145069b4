/** Makes the program ready to run where there is no way to a registry, as on the hosts of the tests. */

import { fileURLToPath } from "node:url";
import { Failure } from "../src/failure.ts";

/** The modules from which all others are reached. */
const roots = ["src/main.ts", "src/server/worker.ts"];

/**
 * Puts every library of the program into Deno's cache.
 *
 * @throws Failure when they cannot be had.
 */
export async function fetchLibraries(): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["cache", "--quiet", "--frozen", ...roots],
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    stdin: "null",
  }).output();
  if (success) return;
  const reason = new TextDecoder().decode(stderr).trim();
  throw new Failure(`The libraries of the program cannot be fetched: ${reason}`);
}
