/** The program's version, as `deno.json` and the package have it. */

import manifest from "../deno.json" with { type: "json" };

/** For example `2026.11.0`. */
export const VERSION: string = manifest.version;
