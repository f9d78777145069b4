/** Temporary directories with files; each is removed when its test ends. */

/** A temporary directory that is removed when the object is disposed of. */
export class Scratch implements Disposable {
  /** Its real path. */
  readonly directory: string = Deno.realPathSync(
    Deno.makeTempDirSync({ prefix: "pacserve-test-" }),
  );

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

/** Returns a temporary directory (its real path) for several tests; it is removed when the process ends. */
export function lastingScratch(): string {
  const scratch = new Scratch();
  globalThis.addEventListener("unload", () => scratch[Symbol.dispose]());
  return scratch.directory;
}

/** Runs a test in a fresh directory (its real path) and removes it afterwards. */
export async function inScratch<T>(body: (directory: string) => T | Promise<T>): Promise<T> {
  using scratch = new Scratch();
  return await body(scratch.directory);
}

/** Runs a test in a fresh directory with these files ({@link writeFiles}). */
export function withFiles<T>(
  files: Readonly<Record<string, string>>,
  body: (directory: string) => T | Promise<T>,
): Promise<T> {
  return inScratch((directory) => {
    writeFiles(directory, files);
    return body(directory);
  });
}

/**
 * Writes files and their parent directories. @param files local path below `directory` → content; a path
 * that ends with a slash is a directory.
 */
export function writeFiles(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    const path = `${directory}/${name}`;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    if (!path.endsWith("/")) Deno.writeTextFileSync(path, content);
  }
}

/** The locale for programs that convert names of files, such as unzip and bsdtar. The caller may have none. */
export const UTF8 = { LC_ALL: "C.UTF-8" } as const;

/** Runs a shell script in a directory, for operations that Deno has no function for. */
export function shell(directory: string, script: string): void {
  const { success, stderr } = new Deno.Command("sh", {
    args: ["-ec", script],
    cwd: directory,
    env: UTF8,
  }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
