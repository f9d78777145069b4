/** Functions for files and paths that several directories of the source share. */

import { Failure, fileProblem } from "./failure.ts";

/** The path with its symbolic links resolved; null when nothing is there or permission is missing. */
export function realPathOrNull(path: string): string | null {
  try {
    return Deno.realPathSync(path);
  } catch {
    return null;
  }
}

/** The path with its symbolic links resolved; the path unchanged when they cannot be resolved. */
export function realPath(path: string): string {
  return realPathOrNull(path) ?? path;
}

/** Returns the same text for each path of a file or directory; null if the path leads to nothing. */
export function inodeOf(path: string): string | null {
  try {
    const { dev, ino } = Deno.statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
}

/** The first of the paths that is one of a file which this program may look at; null if none is. */
export function firstFile(paths: readonly string[]): string | null {
  return paths.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  }) ?? null;
}

/** True when a path is the directory or inside it. Both must be real paths, without symbolic links. */
export function isInside(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`);
}

/**
 * True when a file or directory exists at a path.
 *
 * @throws when this cannot be found out, for example because a directory may not be entered.
 */
export async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, ifMissing(false));
}

/** Returns a handler for rejected promises: it gives this value if nothing is at a path, else throws. */
export function ifMissing<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Deno.errors.NotFound) return value;
    throw error;
  };
}

/** The permissions that `make-root` gives to a {@link isPlaceholder placeholder}. */
const PLACEHOLDER_MODE = 0o1711;

/**
 * True for a directory that `make-root` made only because pacman.conf names it. The unit has mounted
 * nothing there, so to the service the directory does not exist.
 */
export function isPlaceholder({ isDirectory, mode }: Deno.FileInfo): boolean {
  return isDirectory && mode !== null && (mode & 0o7777) === PLACEHOLDER_MODE;
}

/**
 * The bytes of a file.
 *
 * @throws {Failure} that names the file and says why it cannot be read.
 */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    throw new Failure(`cannot read ${path}: ${fileProblem(error)}`);
  }
}

/** The text of a file. It throws like {@link readBytes}. */
export async function readText(path: string): Promise<string> {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await readBytes(path));
}

/**
 * Writes all bytes, for which one call of `write` may not be enough.
 *
 * @param writer a file, a connection or standard output.
 */
export async function writeAll(
  writer: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await writer.write(bytes.subarray(sent));
}

/**
 * Writes to standard output. A reader that stops early, as `head` does, is not an error.
 *
 * @throws {Failure} when the output cannot be written, for example because the disk is full.
 */
export async function writeOutput(output: string | Uint8Array): Promise<void> {
  const bytes = typeof output === "string" ? new TextEncoder().encode(output) : output;
  try {
    await writeAll(Deno.stdout, bytes);
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return;
    throw new Failure(`standard output cannot be written: ${fileProblem(error)}`);
  }
}
