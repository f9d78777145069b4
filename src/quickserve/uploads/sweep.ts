/** Removes what killed servers left in the upload directory. */

import { isUploadTemporary } from "./temporary.ts";

/**
 * Removes unfinished uploads that nobody is writing any more. Those of another living server, or of
 * another worker of this one, are locked and stay.
 *
 * @param directory the upload directory
 * @returns how many there were
 */
export async function sweepUploads(directory: string): Promise<number> {
  let removed = 0;
  for await (const entry of Deno.readDir(directory)) {
    if (!entry.isFile || !isUploadTemporary(entry.name)) continue;
    if (await removeIfAbandoned(`${directory}/${entry.name}`)) removed++;
  }
  return removed;
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
