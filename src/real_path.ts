/** Where paths lead when their links are followed. */

/** Where a path leads; the path itself while it leads nowhere, or may not be looked at. */
export function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path;
  }
}

/** True when a real path is that of a directory or inside of it. */
export function isInside(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`);
}
