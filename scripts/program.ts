/** Prepares the program to run without access to a registry, as on the hosts of the tests. */

import { fileURLToPath } from "node:url";
import { Failure } from "../src/failure.ts";

/** The entry modules, which import all others. */
const roots = ["src/main.ts", "src/server/worker.ts"];

/**
 * Downloads all libraries of the program into Deno's cache.
 *
 * @throws {Failure} when they cannot be downloaded.
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
