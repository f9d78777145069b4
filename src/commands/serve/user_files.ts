/** Checks the files and directories that the user named, with clear errors when they cannot be used. */

import { Failure, fileProblem, isReadOnly, UsageError } from "../../failure.ts";
import { isPlaceholder } from "../../files.ts";
import { temporaryName } from "../../quickserve/uploads/temporary.ts";
import { join, resolve } from "../../std.ts";

/** Collects the files that a configuration is read from, and warnings for the user. */
export class ConfigurationSources {
  /** When they began to be read, in milliseconds since 1970. */
  readonly since = Date.now();
  /** Absolute paths of the files that were read. */
  readonly files: string[] = [];
  /** Directories in which a new file changes the configuration. */
  readonly directories: string[] = [];
  /** Sentences for the log. */
  readonly warnings: string[] = [];

  /**
   * Reads a text file that an option names, and adds it to {@link files}.
   *
   * @throws {Failure} when it cannot be read or is not in UTF-8.
   */
  async read(option: string, path: string): Promise<string> {
    this.files.push(resolve(path));
    try {
      const { isFile, isDirectory } = await Deno.stat(path);
      // Reading a pipe would wait for its writer, and some devices never end.
      if (!isFile && !isDirectory && path !== "/dev/null") {
        throw new Failure("it is not a file, but a pipe or a device");
      }
      return new TextDecoder("utf-8", { fatal: true }).decode(await Deno.readFile(path));
    } catch (error) {
      throw unusable(option, path, error);
    }
  }

  /**
   * Warns when a file or directory to serve cannot be read now. It may exist, or be readable, later.
   *
   * @param what the beginning of the warning: the option that names the path, or words for it.
   */
  async expect(what: string, path: string): Promise<void> {
    try {
      await tryReading(path);
    } catch (error) {
      this.warnings.push(unusable(what, path, error).message);
    }
  }

  /** Warns when no file can be created in a directory now. There may be room, or a permission, later. */
  async expectWritable(option: string, directory: string): Promise<void> {
    try {
      await tryWriting(directory);
    } catch (error) {
      this.warnings.push(unusable(option, directory, error).message);
    }
  }
}

/** Returns true when files can be created in a directory. */
export async function canBeWrittenTo(directory: string): Promise<boolean> {
  return await tryWriting(directory).then(() => true, () => false);
}

/** Fails if no file can be created in the directory. */
async function tryWriting(directory: string): Promise<void> {
  // The name of a temporary upload: it is hidden, and is cleaned up if this fails half-way.
  const path = join(directory, temporaryName());
  (await Deno.open(path, { write: true, createNew: true })).close();
  await Deno.remove(path);
}

/**
 * Returns a hint for the first of these files that cannot be read, if the sandbox of the service is the
 * reason; else an empty text.
 *
 * @param option the option that names the files.
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
 * Checks that a path to share exists.
 *
 * @throws {UsageError} when it is empty, for example from an unset variable of a script.
 * @throws {Failure} when it does not exist or cannot be accessed.
 */
export async function requirePath(path: string): Promise<void> {
  if (path === "") throw new UsageError("an empty path cannot be shared");
  const info = await mustStat("cannot share", path);
  if (!info.isFile && !info.isDirectory) {
    throw new Failure(`cannot share ${path}: it is neither a file nor a directory`);
  }
}

/**
 * Checks that an option names a directory.
 *
 * @throws {Failure} when the path is not a directory.
 */
export async function requireDirectory(option: string, path: string): Promise<void> {
  const { isDirectory } = await mustStat(option, path);
  if (!isDirectory) throw new Failure(`${option} ${path} is not a directory`);
}

async function mustStat(option: string, path: string): Promise<Deno.FileInfo> {
  return await Deno.stat(path).catch((error) => {
    throw unusable(option, path, error);
  });
}

/** Makes an error that says why a path cannot be used. */
function unusable(option: string, path: string, error: unknown): Failure {
  return new Failure(
    `${option} ${path}: ${fileProblem(error)}${sandboxHint(option, resolve(path), error)}`,
  );
}

/** Returns why a path cannot be served now, in a word or two; null when it can. */
export async function readProblem(path: string): Promise<"missing" | "not readable" | null> {
  try {
    await tryReading(path);
    return null;
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? "missing" : "not readable";
  }
}

/** Fails if the path cannot be read, but reads nothing. */
async function tryReading(path: string): Promise<void> {
  const info = await Deno.stat(path);
  if (isPlaceholder(info)) throw new Deno.errors.NotFound(path);
  const { isFile, isDirectory } = info;
  // A directory must allow access to its entries, not only listing them.
  if (isDirectory) await Deno.stat(`${path}/.`);
  // Opening a pipe would wait for a writer.
  if (isFile || isDirectory) (await Deno.open(path)).close();
}

/** Options whose files contain secrets, which not every user may read. */
const SECRETS = ["--authfile", "--certfile", "--keyfile"];

/**
 * Returns a hint to append to an error about a path: the setting of the unit that makes the path usable
 * (systemd.exec(5)). It is empty if no unit started the program, or if the error has another cause.
 *
 * @param option the option that names the path.
 */
function sandboxHint(option: string, path: string, error: unknown): string {
  // Only the service manager sets this variable.
  if (Deno.env.get("NOTIFY_SOCKET") === undefined) return "";
  const cause = causeOf(error);
  if (cause === null) return "";
  return ` (${cause}: ${
    setting(option, path, error)
  } in "systemctl edit pacserve" changes that, see DROP-INS in pacserve(8))`;
}

function causeOf(error: unknown): string | null {
  if (error instanceof Deno.errors.NotFound) return "the service sees few files of the system";
  if (error instanceof Deno.errors.PermissionDenied) return "the service runs as a user of its own";
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
