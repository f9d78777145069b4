/** Makes the self-contained form of the program: an executable that includes the runtime. */

import { createHash } from "node:crypto";
import { Failure, messageOf } from "../../src/failure.ts";
import { launchedCommands } from "./commands.ts";

/** How long the download of the runtime base (40 MB) may take, in milliseconds. */
const DOWNLOAD_DEADLINE = 600_000;

const BASE_NAME = `denort-${Deno.build.target}.zip`;

/** The URL at which Deno publishes the runtime base; its digest is at `<URL>.sha256sum`. */
const BASE_ADDRESS = `https://dl.deno.land/release/v${Deno.version.deno}/${BASE_NAME}`;

/**
 * Compiles the bundled program into one executable.
 *
 * @param bundles directory with `main.js` and the files that it loads.
 * @param place a directory for the download.
 * @throws {Failure} when the runtime base cannot be downloaded, or its digest is wrong.
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
      // `deno compile` finds all other files by their imports, but workers are loaded by URL.
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
 * The path of the runtime base (`denort`, of the same version as Deno): the file that `DENORT_BIN`
 * names, else a download. Deno itself does not verify a download. Here it must have the digest that the
 * user gives in `DENORT_SHA256`; a fixed digest in this file was not possible, because the base could
 * not be downloaded where this was written.
 */
async function runtimeBase(place: string): Promise<string> {
  const own = Deno.env.get("DENORT_BIN") ?? "";
  if (own !== "") return own;
  const digest = (Deno.env.get("DENORT_SHA256") ?? "").toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(digest)) {
    throw new Failure(
      `the self-contained form needs ${BASE_ADDRESS}: set DENORT_SHA256 to its SHA-256 ` +
        "(64 hexadecimal digits), or set DENORT_BIN to the path of a denort",
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
  // DENORT_URL may name any other source, because the digest is verified.
  const address = Deno.env.get("DENORT_URL") || BASE_ADDRESS;
  let bytes: Uint8Array;
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(DOWNLOAD_DEADLINE) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    bytes = await response.bytes();
  } catch (error) {
    // The error itself says only "fetch failed"; its cause says why.
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new Failure(`${address}: ${messageOf(cause)}`);
  }
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== digest) throw new Failure(`${address} has the SHA-256 ${found}, not ${digest}`);
  return bytes;
}

/** The permissions of all commands together, because an executable has only one set of permissions. */
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

/** The innermost cause in a message of Deno: the last line before the stack trace. */
function lastCause(message: string): string {
  const [causes = ""] = message.split("Stack backtrace:");
  return causes.trim().split("\n").at(-1)?.trim() || "it gives no reason";
}
