/**
 * Reads pacman.conf with `pacman-conf`, which is a part of pacman and uses pacman's own parser.
 * Includes, wildcards, `$repo` and `$arch`, repeated keys and defaults are therefore handled as pacman
 * handles them.
 */

import { Failure, messageOf } from "../failure.ts";
import { firstFile, realPath } from "../files.ts";
import type { PacmanConfiguration, Repository } from "./configuration.ts";
import { resolve } from "../std.ts";

/** The result of a program that has ended. */
interface ProgramResult {
  /** The exit status; 128 plus the number of the signal if a signal ended the program. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The path in pacman-conf's message about a directory that does not exist, else null. pacman 7.1
 * refuses a configuration whose `CacheDir`, `DBPath`, `GPGDir`, `HookDir` or `RootDir` does not exist.
 */
export function unresolvedPath(message: string): string | null {
  return /failed to resolve path '(.*)' passed to '\w+'/.exec(message)?.[1] ?? null;
}

/** Runs `pacman-conf` with these arguments. */
type RunPacmanConf = (parameters: readonly string[]) => Promise<ProgramResult>;

/** Paths of pacman-conf: Arch's and Debian's first, then those of a pacman that was compiled locally. */
export const PACMAN_CONF_PLACES: readonly string[] = [
  "/usr/bin/pacman-conf",
  "/usr/local/bin/pacman-conf",
  "/opt/pacman/bin/pacman-conf",
];

/**
 * How long pacman-conf may run, in milliseconds. It usually takes a few, but it could hang on a network
 * file system, and we must not hang with it.
 */
const MAX_RUN = 10_000;

/**
 * Finds pacman-conf. It looks at fixed paths and not in `PATH`, so that the program that may be run is
 * known in advance, and the user's environment cannot select another one.
 *
 * @returns its absolute path; null when pacman is not installed.
 */
export function findPacmanConf(): string | null {
  return firstFile(PACMAN_CONF_PLACES);
}

/**
 * Makes a function that runs pacman-conf, for which permission is needed (`--allow-run`).
 *
 * @param program path that {@link findPacmanConf} returned; with null, the function throws a
 * {@link Failure} that says that pacman-conf is not installed.
 */
export function pacmanConfRunner(program: string | null): RunPacmanConf {
  return async (parameters) => {
    if (program === null) {
      throw new Failure(
        `pacman-conf is not installed (looked for ${PACMAN_CONF_PLACES.join(", ")})`,
      );
    }
    const output = await new Deno.Command(program, {
      args: [...parameters],
      // We parse its messages, so they must be in English. It needs no other variables.
      clearEnv: true,
      env: { LC_ALL: "C" },
      stdin: "null",
      signal: AbortSignal.timeout(MAX_RUN),
    }).output();
    const decoder = new TextDecoder();
    return {
      status: output.code,
      stdout: decoder.decode(output.stdout),
      stderr: decoder.decode(output.stderr),
    };
  };
}

/**
 * Reads a configuration of pacman.
 *
 * @param path of the configuration, `/etc/pacman.conf`.
 * @throws {Failure} as {@link printedConfiguration}.
 */
export async function readPacmanConfiguration(
  path: string,
  runPacmanConf: RunPacmanConf,
): Promise<PacmanConfiguration> {
  const configuration = parsePacmanConfiguration(await printedConfiguration(path, runPacmanConf));
  return { ...configuration, databasePath: realPath(configuration.databasePath) };
}

/**
 * What pacman-conf prints of a configuration: every directive with its value, one a line.
 *
 * @throws {Failure} naming the file (and the line, where pacman-conf does) when it is missing or
 * invalid, or when pacman-conf cannot be run.
 */
export async function printedConfiguration(
  path: string,
  runPacmanConf: RunPacmanConf,
): Promise<string> {
  const absolute = resolve(path);
  // pacman-conf would read a directory as an empty configuration, without an error.
  // It reports a file that is missing or not accessible.
  if ((await Deno.stat(absolute).catch(() => null))?.isDirectory) {
    throw new Failure(`the pacman configuration ${path} is a directory`);
  }
  let result: ProgramResult;
  try {
    result = await runPacmanConf([`--config=${absolute}`]);
  } catch (error) {
    throw new Failure(`the pacman configuration ${path} cannot be read: ${messageOf(error)}`);
  }
  if (result.status !== 0) {
    throw new Failure(
      `the pacman configuration ${path} cannot be used: ${reasonIn(result)}`,
    );
  }
  return result.stdout;
}

/**
 * Parses the output of pacman-conf. Directives that are not needed (`DisableSandbox`…) are ignored.
 * Sections with the same name are merged into one repository.
 */
export function parsePacmanConfiguration(text: string): PacmanConfiguration {
  const { options, repositories } = sectionsOf(text);
  return {
    cacheDirectories: unique((options.get("CacheDir") ?? []).map(withoutSlash)),
    databasePath: withoutSlash(options.get("DBPath")?.[0] ?? "/var/lib/pacman"),
    architectures: unique(options.get("Architecture") ?? []),
    repositories: [...repositories].map(([name, directives]) =>
      repository(name, directives, levelOf(directives, options))
    ),
  };
}

/**
 * The words of the signature level of each repository, as pacman-conf prints them: `PackageRequired`,
 * `PackageTrustedOnly`, `DatabaseNever`…
 */
export function signatureLevels(text: string): ReadonlyMap<string, readonly string[]> {
  const { options, repositories } = sectionsOf(text);
  return new Map(
    [...repositories].map(([name, directives]) => [name, levelOf(directives, options)]),
  );
}

/** Values by their key. */
type Directives = Map<string, string[]>;

interface Sections {
  readonly options: Directives;
  readonly repositories: Map<string, Directives>;
}

function sectionsOf(text: string): Sections {
  const options: Directives = new Map();
  const repositories = new Map<string, Directives>();
  let section = options;
  for (const line of text.split("\n")) {
    const header = /^\[(.*)\]$/.exec(line);
    if (header !== null) {
      const name = header[1] ?? "";
      section = name === "options"
        ? options
        : repositories.getOrInsertComputed(name, () => new Map());
      continue;
    }
    const separator = line.indexOf(" = ");
    if (separator < 0) continue;
    const key = line.slice(0, separator);
    section.getOrInsertComputed(key, () => []).push(line.slice(separator + 3));
  }
  return { options, repositories };
}

/**
 * pacman-conf prints no level in a section that sets none. One that sets any part has all of it
 * printed, with what it inherits, one word a line.
 */
function levelOf(directives: Directives, options: Directives): readonly string[] {
  return directives.get("SigLevel") ?? options.get("SigLevel") ?? [];
}

function repository(
  name: string,
  directives: Directives,
  level: readonly string[],
): Repository {
  const cacheServers = unique((directives.get("CacheServer") ?? []).map(withoutSlash));
  return {
    name,
    ...(cacheServers.length === 0 ? {} : { cacheServers }),
    servers: unique((directives.get("Server") ?? []).map(withoutSlash)),
    packageSignatureRequired: level.includes("PackageRequired"),
  };
}

/**
 * The error of pacman-conf: its first `error:` line, which names the file and the line. If it contains
 * the URL of a mirror, the credentials in the URL are removed.
 */
function reasonIn(result: ProgramResult): string {
  const stderr = result.stderr.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/]*@/gi, "$1");
  const lines = stderr.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const error = lines.find((line) => line.startsWith("error: "));
  // pacman 7.1 writes an unbalanced quotation mark: error: 'failed to resolve path '/a'…
  if (error !== undefined) return error.replace(/^error: '?/, "").replace(/\.$/, "");
  return lines[0] ?? `pacman-conf ended with status ${result.status}`;
}

function withoutSlash(text: string): string {
  return text.replace(/(?<!^)\/+$/, "");
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
