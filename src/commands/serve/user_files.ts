/** Files and directories that the user named: clear errors where they cannot be used. */

import { resolve } from "node:path";
import { Failure, fileProblem } from "../../failure.ts";
import { sandboxHint } from "./sandbox.ts";

/** Collects what a configuration is read from, and what the user should be told about it. */
export class ConfigurationSources {
  /** Absolute paths of the files that were read. */
  readonly files: string[] = [];
  /** Directories in which a new file changes the configuration. */
  readonly directories: string[] = [];
  /** Sentences for the log. */
  readonly warnings: string[] = [];

  /**
   * Reads a text file that an option names, and remembers it.
   *
   * @throws {Failure} when it cannot be read or is no UTF-8.
   */
  async read(option: string, path: string): Promise<string> {
    this.files.push(resolve(path));
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(await Deno.readFile(path));
    } catch (error) {
      throw unusable(option, path, error);
    }
  }

  /** Warns when something cannot be seen that may appear later. */
  async expect(what: string, path: string): Promise<void> {
    try {
      await Deno.stat(path);
    } catch (error) {
      this.warnings.push(unusable(what, path, error).message);
    }
  }
}

/**
 * Checks that a path that was named to be shared exists.
 *
 * @throws {Failure} when it does not, or cannot be reached.
 */
export async function requirePath(path: string): Promise<void> {
  try {
    await Deno.stat(path);
  } catch (error) {
    throw unusable("cannot share", path, error);
  }
}

/**
 * Checks that an option names a directory.
 *
 * @throws {Failure} when it is none.
 */
export async function requireDirectory(option: string, path: string): Promise<void> {
  let isDirectory: boolean;
  try {
    isDirectory = (await Deno.stat(path)).isDirectory;
  } catch (error) {
    throw unusable(option, path, error);
  }
  if (!isDirectory) throw new Failure(`${option} ${path} is no directory`);
}

/** Why a path cannot be used, in a sentence. */
function unusable(option: string, path: string, error: unknown): Failure {
  return new Failure(
    `${option} ${path}: ${fileProblem(error)}${sandboxHint(option, resolve(path), error)}`,
  );
}
