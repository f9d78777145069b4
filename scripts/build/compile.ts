/** The self-contained form of the program: one executable with the runtime in it (`deno compile`). */

import { createHash } from "node:crypto";
import { Failure, messageOf } from "../../src/failure.ts";
import { launchedCommands } from "./commands.ts";

/** Milliseconds in which the runtime base has to arrive: 40 MB on a slow line. */
const DOWNLOAD_DEADLINE = 600_000;

const BASE_NAME = `denort-${Deno.build.target}.zip`;

/** Where Deno publishes its runtime bases, and `<address>.sha256sum` beside each. */
const BASE_ADDRESS = `https://dl.deno.land/release/v${Deno.version.deno}/${BASE_NAME}`;

/**
 * Compiles the bundled program into one executable.
 *
 * @param bundles directory with `main.js` and what it loads.
 * @param place a directory for what is downloaded.
 * @throws {Failure} when the runtime base cannot be had, or is not the one that it should be.
 */
export async function compile(bundles: string, place: string, output: string): Promise<void> {
  const base = await runtimeBase(place);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
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
    ],
    env: { NO_COLOR: "1", DENORT_BIN: base },
  }).output();
  if (!success) throw new Failure(`deno compile: ${lastCause(new TextDecoder().decode(stderr))}`);
}

/**
 * The runtime base (`denort`, of Deno's own version): the file that `DENORT_BIN` names, else a
 * download. Deno would take any download for good; here only the one with the digest that the user
 * has named is taken, since none could be pinned where this was written.
 */
async function runtimeBase(place: string): Promise<string> {
  const own = Deno.env.get("DENORT_BIN") ?? "";
  if (own !== "") return own;
  const digest = (Deno.env.get("DENORT_SHA256") ?? "").toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(digest)) {
    throw new Failure(
      `the self-contained form needs ${BASE_ADDRESS}, which is taken only with its SHA-256 ` +
        "(64 hexadecimal digits) in DENORT_SHA256; or name a denort of your own in DENORT_BIN",
    );
  }
  const archive = `${place}/${BASE_NAME}`;
  await Deno.mkdir(place, { recursive: true });
  await Deno.writeFile(archive, await download(digest));
  const { success, stderr } = await new Deno.Command("bsdtar", {
    args: ["-xf", archive, "-C", place, "denort"],
  }).output();
  if (!success) throw new Failure(`${BASE_NAME}: ${new TextDecoder().decode(stderr).trim()}`);
  return `${place}/denort`;
}

async function download(digest: string): Promise<Uint8Array> {
  // Another place to take it from: the digest says whether it is the right file.
  const address = Deno.env.get("DENORT_URL") || BASE_ADDRESS;
  let bytes: Uint8Array;
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(DOWNLOAD_DEADLINE) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    bytes = await response.bytes();
  } catch (error) {
    // "fetch failed" is all that the error itself says.
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new Failure(`${address}: ${messageOf(cause)}`);
  }
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== digest) throw new Failure(`${address} has the SHA-256 ${found}, not ${digest}`);
  return bytes;
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
  return causes.trim().split("\n").at(-1)?.trim() || "it gives no reason";
}
