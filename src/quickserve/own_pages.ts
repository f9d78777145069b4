/** Which files are the user's own website, and which somebody may have uploaded into it. */

import { isInside } from "../files.ts";

/**
 * Makes the test for pages of the user's own website: files that really lie in one of its
 * directories and not where uploads go, whatever links lead there or on from there.
 *
 * @param directories of the website; none where the server has no website.
 * @param uploads the directory that uploads go to; null without uploads.
 */
export function ownPages(
  directories: readonly string[],
  uploads: string | null,
): (localPath: string) => boolean {
  return (localPath) => {
    if (directories.length === 0) return false;
    try {
      const file = Deno.realPathSync(localPath);
      if (uploads !== null && isInside(file, Deno.realPathSync(uploads))) return false;
      return directories.some((directory) => isInside(file, Deno.realPathSync(directory)));
    } catch {
      // What cannot be looked at is nobody's own.
      return false;
    }
  };
}
