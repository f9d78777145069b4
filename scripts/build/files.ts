/** Small functions that copy and write files, for the build. */

import { dirname } from "node:path";

/** Copies a file, sets its permission bits, and creates its directories. */
export async function copy(from: string, to: string, mode = 0o644): Promise<void> {
  await Deno.mkdir(dirname(to), { recursive: true });
  await Deno.copyFile(from, to);
  await Deno.chmod(to, mode);
}

/** Copies a directory with everything in it. */
export async function copyDirectory(from: string, to: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyDirectory(`${from}/${name}`, `${to}/${name}`);
    else await copy(`${from}/${name}`, `${to}/${name}`);
  }
}

/** Writes a text file, sets its permission bits, and creates its directories. */
export async function write(path: string, text: string, mode = 0o644): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, text);
  await Deno.chmod(path, mode);
}

/** Creates a directory, or empties an existing one. */
export async function emptyDirectory(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await Deno.mkdir(path, { recursive: true });
}
