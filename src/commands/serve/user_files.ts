/** Files and directories that the user named: clear errors where they cannot be used. */

import { join, resolve } from "node:path";
import { Failure, fileProblem, isReadOnly, UsageError } from "../../failure.ts";
import { isPlaceholder } from "../../files.ts";
import { temporaryName } from "../../quickserve/uploads/temporary.ts";

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
      const { isFile, isDirectory } = await Deno.stat(path);
      // To read a pipe would wait for its writer, and some devices never end.
      if (!isFile && !isDirectory && path !== "/dev/null") {
        throw new Failure("it is no file, but a pipe or a device");
      }
      return new TextDecoder("utf-8", { fatal: true }).decode(await Deno.readFile(path));
    } catch (error) {
      throw unusable(option, path, error);
    }
  }

  /**
   * Warns when what is to be served cannot be read now: it may be there, or be readable, later.
   *
   * @param what has named the path: an option, or words for it.
   */
  async expect(what: string, path: string): Promise<void> {
    try {
      await tryReading(path);
    } catch (error) {
      this.warnings.push(unusable(what, path, error).message);
    }
  }

  /** Warns when no file can be made in a directory now: there may be room, or a permission, later. */
  async expectWritable(option: string, directory: string): Promise<void> {
    // A name that is hidden, and swept away like that of an upload should anything go wrong here.
    const path = join(directory, temporaryName());
    try {
      (await Deno.open(path, { write: true, createNew: true })).close();
      await Deno.remove(path);
    } catch (error) {
      this.warnings.push(unusable(option, directory, error).message);
    }
  }
}

/** Whether files can be made in a directory. */
export async function canBeWrittenTo(directory: string): Promise<boolean> {
  const path = join(directory, temporaryName());
  try {
    (await Deno.open(path, { write: true, createNew: true })).close();
    await Deno.remove(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * What cures the first of these files that cannot be read, where it is the sandbox that hides it.
 *
 * @param option that has named them.
 */
export async function sandboxHintFor(option: string, paths: readonly string[]): Promise<string> {
  for (const path of paths) {
    try {
      await tryReading(path);
    } catch (error) {
      return sandboxHint(option, path, error);
    }
  }
  return "";
}

/**
 * Checks that a path that was named to be shared exists.
 *
 * @throws {UsageError} when it is empty, as from a variable of a script that is not set.
 * @throws {Failure} when it does not, or cannot be reached.
 */
export async function requirePath(path: string): Promise<void> {
  if (path === "") throw new UsageError("an empty path cannot be shared");
  let info: Deno.FileInfo;
  try {
    info = await Deno.stat(path);
  } catch (error) {
    throw unusable("cannot share", path, error);
  }
  if (!info.isFile && !info.isDirectory) {
    throw new Failure(`cannot share ${path}: it is neither a file nor a directory`);
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

/** Why nothing of a path can be served now, in a word or two; null when it can. */
export async function readProblem(path: string): Promise<"missing" | "not readable" | null> {
  try {
    await tryReading(path);
    return null;
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? "missing" : "not readable";
  }
}

/** Reads nothing, but fails as reading would. */
async function tryReading(path: string): Promise<void> {
  const info = await Deno.stat(path);
  if (isPlaceholder(info)) throw new Deno.errors.NotFound(path);
  const { isFile, isDirectory } = info;
  // A directory is not only listed but also entered.
  if (isDirectory) await Deno.stat(`${path}/.`);
  // Opening a pipe would wait for a writer.
  if (isFile || isDirectory) (await Deno.open(path)).close();
}

/** Options whose files not every user may read. */
const SECRETS = ["--authfile", "--certfile", "--keyfile"];

/**
 * What to say behind an error about a path: which setting of the unit makes the path usable
 * (systemd.exec(5)). Empty where the program was not started by a unit, or the error is another one.
 *
 * @param option the option that names the path.
 */
function sandboxHint(option: string, path: string, error: unknown): string {
  // The service manager tells it to its services alone.
  if (Deno.env.get("NOTIFY_SOCKET") === undefined) return "";
  const wall = wallOf(error);
  if (wall === null) return "";
  return ` (${wall}: ${
    setting(option, path, error)
  } in "systemctl edit pacserve" changes that, see DROP-INS in pacserve(8))`;
}

function wallOf(error: unknown): string | null {
  if (error instanceof Deno.errors.NotFound) return "the service sees few files of the system";
  if (error instanceof Deno.errors.PermissionDenied) return "the service is no ordinary user";
  return isReadOnly(error) ? "the service may change few files of the system" : null;
}

function setting(option: string, path: string, error: unknown): string {
  if (option === "--upload") return "StateDirectory=pacserve, and --upload /var/lib/pacserve,";
  if (SECRETS.includes(option)) {
    return `LoadCredential=<name>:${path}, and ${option} /run/credentials/pacserve.service/<name>,`;
  }
  return error instanceof Deno.errors.NotFound
    ? `BindReadOnlyPaths=${path}`
    : "SupplementaryGroups=<a group that may read it>";
}
