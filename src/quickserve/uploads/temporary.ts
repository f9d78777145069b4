/** The files of incomplete uploads: creates their names, and removes abandoned files. */

const PATTERN = /^\.pacserve-upload-[0-9a-f]{24}\.part$/;

/** Returns a name for the file of a new upload. It is created in the directory of the final file. */
export function temporaryName(): string {
  // 24 hexadecimal digits.
  return `.pacserve-upload-${crypto.randomUUID().replaceAll("-", "").slice(0, 24)}.part`;
}

/**
 * True for the name of an incomplete upload. The server never shows such a file, not even with
 * `--show-hidden`, and clients cannot upload under such a name.
 */
export function isUploadTemporary(name: string): boolean {
  return PATTERN.test(name);
}

/**
 * Removes incomplete uploads that no process writes any more. The files of other running servers, and of
 * other workers of this server, are locked and are not removed.
 *
 * @param directory the upload directory; the directories below it are swept too
 * @returns the number of removed files
 */
export async function sweepUploads(directory: string): Promise<number> {
  let removed = 0;
  for await (const { name, isDirectory, isFile } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    if (isDirectory) removed += await unlessForeign(sweepUploads(path)) ?? 0;
    if (!isFile || !isUploadTemporary(name)) continue;
    if (await unlessForeign(removeIfAbandoned(path))) removed++;
  }
  return removed;
}

/**
 * The result; null when the file belongs to another user, another server has removed it, or the runtime keeps it
 * from a confined program (`/proc` below `--upload /`).
 */
async function unlessForeign<T>(result: Promise<T>): Promise<T | null> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    if (error instanceof Deno.errors.PermissionDenied) return null;
    if (error instanceof Deno.errors.NotCapable) return null;
    throw error;
  }
}

async function removeIfAbandoned(path: string): Promise<boolean> {
  using file = await Deno.open(path, { read: true, write: true });
  if (!await file.tryLock(true)) return false;
  await Deno.remove(path);
  return true;
}
