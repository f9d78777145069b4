/** Uploads that are not complete: the names of their files, and the removal of abandoned ones. */

const PATTERN = /^\.pacserve-upload-[0-9a-f]{24}\.part$/;

/** A name for an upload that has just begun. It lies in the directory where the file will end up. */
export function temporaryName(): string {
  // 24 hexadecimal digits.
  return `.pacserve-upload-${crypto.randomUUID().replaceAll("-", "").slice(0, 24)}.part`;
}

/**
 * True for the name of an upload that is not complete. Such a file is never visible on the server,
 * also with `--show-hidden`, and no client may upload under such a name.
 */
export function isUploadTemporary(name: string): boolean {
  return PATTERN.test(name);
}

/**
 * Removes unfinished uploads that no process is writing any more. A file of another running server, or
 * of another worker of this one, is locked and stays.
 *
 * @param directory the upload directory; those below it are looked through as well
 * @returns how many there were
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

/** What is another user's, or goes away meanwhile, is passed over. */
async function sweepBelow(directory: string): Promise<number> {
  try {
    return await sweepUploads(directory);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    if (error instanceof Deno.errors.PermissionDenied) return 0;
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
    // Another server was quicker, or it is another user's: not ours to remove.
    if (error instanceof Deno.errors.NotFound) return false;
    if (error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
}
