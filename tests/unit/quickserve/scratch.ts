/** Temporary directories with files in them, and trees over them, for the tests of this room. */

import type { Share, TreeConfiguration } from "../../../src/quickserve/configuration.ts";

/** Runs a test in a fresh directory (its real path) and removes it afterwards. */
export async function inScratch(body: (directory: string) => void | Promise<void>): Promise<void> {
  const directory = await Deno.realPath(await Deno.makeTempDir({ prefix: "pacserve-test-" }));
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Writes files (with their parents): local path below `directory` → content. */
export function writeFiles(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    const path = `${directory}/${name}`;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(path, content);
  }
}

/** Runs a script in a directory, for what Deno has no function for. */
export function shell(directory: string, script: string): void {
  const { success, stderr } = new Deno.Command("sh", { args: ["-ec", script], cwd: directory })
    .outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** A share, as the configuration has it. */
export function share(path: string, ...sources: string[]): Share {
  return { path, sources, packageCache: false };
}

/** The configuration of a tree. */
export function treeOf(
  shares: readonly Share[],
  options: Partial<TreeConfiguration> = {},
): TreeConfiguration {
  return { shares, filters: [], showHidden: false, followLinks: false, ...options };
}
