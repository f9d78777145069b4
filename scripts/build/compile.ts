/** The self-contained form of the program, where the runtime base can be had. */

import { messageOf } from "../../src/failure.ts";
import { launchedCommands } from "./commands.ts";

/** Milliseconds in which the host of the runtime bases has to answer. */
const ANSWER_WITHIN = 5_000;

/** Milliseconds that `deno compile` may take: a download of 40 MB on a slow line. */
const PATIENCE = 600_000;

/**
 * Compiles the bundled program into one executable with the runtime in it (`deno compile`).
 *
 * @param bundles directory with `main.js` and what it loads.
 * @returns null when it is made, else why it could not be, in a few words.
 */
export async function compile(bundles: string, output: string): Promise<string | null> {
  const missing = await whyNoBase();
  if (missing !== null) return missing;
  const { success, stderr } = await deno([
    "compile",
    "--quiet",
    "--no-check",
    "--no-config",
    "--unstable-net",
    "--unstable-worker-options",
    ...allPermissions(),
    // Everything else is found from these: only workers are loaded by an address.
    "--include",
    `${bundles}/worker.js`,
    "--include",
    `${bundles}/database_worker.js`,
    "--output",
    output,
    `${bundles}/main.js`,
  ]);
  return success ? null : lastCause(stderr);
}

/**
 * Why there is no runtime base (`denort`, of Deno's own version), or null. Deno takes it from
 * `$DENORT_BIN`, else from its cache, else it downloads it. It waits long for a host that does not
 * answer, so that is asked first.
 */
async function whyNoBase(): Promise<string | null> {
  if (Deno.env.get("DENORT_BIN") !== undefined) return null;
  const { denoDir } = JSON.parse((await deno(["info", "--json"])).stdout) as { denoDir: string };
  const base = `release/v${Deno.version.deno}/denort-${Deno.build.target}.zip`;
  try {
    await Deno.stat(`${denoDir}/dl/${base}`);
    return null;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  try {
    const { ok, status } = await fetch(`https://dl.deno.land/${base}`, {
      method: "HEAD",
      signal: AbortSignal.timeout(ANSWER_WITHIN),
    });
    return ok ? null : `https://dl.deno.land/${base}: status ${status}`;
  } catch (error) {
    // "fetch failed" is all that the error itself says.
    return messageOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
  }
}

async function deno(
  words: string[],
): Promise<{ success: boolean; stdout: string; stderr: string }> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: words,
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(PATIENCE),
  }).output();
  const decoder = new TextDecoder();
  return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** An executable has one set of permissions: what any of its commands may do. */
export function allPermissions(): string[] {
  const values = new Map<string, Set<string> | null>();
  for (const flag of launchedCommands().flatMap(({ permissions }) => permissions)) {
    const [, name = flag, list] = /^([^=]+)=(.*)$/.exec(flag) ?? [];
    const known = values.get(name);
    if (list === undefined || known === null) values.set(name, null);
    else values.set(name, new Set([...known ?? [], ...list.split(",")]));
  }
  return [...values].map(([name, list]) => list === null ? name : `${name}=${[...list].join(",")}`);
}

/** The innermost cause in a message of Deno's, which stands before its stack trace. */
function lastCause(message: string): string {
  const [causes = ""] = message.split("Stack backtrace:");
  return causes.trim().split("\n").at(-1)?.trim() || "deno compile gives no reason";
}
