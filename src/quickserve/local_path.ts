/** Local paths as users write them. */

import { posix } from "node:path";
import { Failure } from "../failure.ts";

/**
 * The local path that a user means, absolute and without `.` and `..`.
 *
 * @param base absolute; a relative path is relative to it.
 * @param place what an error begins with: `list:3: `.
 * @throws {Failure} when it is empty or has a NUL in it.
 */
export function resolveLocalPath(path: string, base: string, place: string): string {
  if (path === "") throw new Failure(`${place}a path is empty`);
  if (path.includes("\0")) throw new Failure(`${place}a path has a NUL character in it`);
  return posix.resolve(base, path);
}
