/** Local paths as users write them. */

import { Failure } from "../failure.ts";
import { resolve } from "../std.ts";

/**
 * Resolves a path as a user wrote it. The result is absolute and contains no `.` and `..`.
 *
 * @param base the absolute directory to which a relative path is relative.
 * @param place the beginning of an error's message, such as `list:3: `.
 * @throws {Failure} when the path is empty or contains a NUL.
 */
export function resolveLocalPath(path: string, base: string, place: string): string {
  if (path === "") throw new Failure(`${place}a path is empty`);
  if (path.includes("\0")) throw new Failure(`${place}a path has a NUL character in it`);
  return resolve(base, path);
}
