/** The program's version, which `deno.json` and the package share. */

import manifest from "../deno.json" with { type: "json" };

/** For example `2026.11.0`. */
export const VERSION: string = manifest.version;

/** The version of Deno that all tests used. */
const TESTED_DENO = "2.9.6";

/**
 * A warning when a newer minor version of Deno runs the program than the one that it was tested with.
 *
 * @param running such as `2.10.1`; a suffix such as `-rc.1` is ignored.
 * @returns null when the minor version is the tested one or older.
 */
export function runtimeWarning(running: string = Deno.version.deno): string | null {
  const [major = 0, minor = 0] = running.split(".").map(Number);
  const [testedMajor = 0, testedMinor = 0] = TESTED_DENO.split(".").map(Number);
  if (major < testedMajor || (major === testedMajor && minor <= testedMinor)) return null;
  return `tested with Deno ${testedMajor}.${testedMinor} (${TESTED_DENO}); this is the newer ${running}`;
}
