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
  for await (const entry of Deno.readDir(directory)) {
    if (entry.isDirectory) removed += await sweepBelow(`${directory}/${entry.name}`);
    if (!entry.isFile || !isUploadTemporary(entry.name)) continue;
    if (await removeIfAbandoned(`${directory}/${entry.name}`)) removed++;
  }
  return removed;
}

/**
 * The same for a directory below; ignores directories of other users, directories that were removed, and those
 * that the runtime keeps from a confined program (`/proc` below `--upload /`).
 */
async function sweepBelow(directory: string): Promise<number> {
  try {
    return await sweepUploads(directory);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    if (error instanceof Deno.errors.PermissionDenied) return 0;
    if (error instanceof Deno.errors.NotCapable) return 0;
    throw error;
  }
}

async function removeIfAbandoned(path: string): Promise<boolean> {
  try {
    using file = await Deno.open(path, { read: true, write: true });
    if (!await file.tryLock(true)) return false;
    await Deno.remove(path);
    return true;
  } catch (error) {
    // Another server has removed it, or it belongs to another user.
    if (error instanceof Deno.errors.NotFound) return false;
    if (error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
}
