/**
 * Reads pacman.conf by `pacman-conf`, which ships with pacman and is pacman's own parser: includes,
 * wildcards, `$repo` and `$arch`, repeated keys and defaults are as pacman has them.
 */

import { resolve } from "node:path";
import { Failure, messageOf } from "../failure.ts";
import { realPath } from "../files.ts";
import type { PacmanConfiguration, Repository } from "./configuration.ts";

/** What a program that ran to its end left. */
export interface ProgramResult {
  /** The exit status; of a program that a signal ended, 128 and the signal. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The path that keeps pacman-conf from using a configuration, where its message names one: pacman 7.1
 * resolves `CacheDir`, `DBPath`, `GPGDir`, `HookDir` and `RootDir`, and refuses those that do not exist.
 */
export function unresolvedPath(message: string): string | null {
  return /failed to resolve path '(.*)' passed to '\w+'/.exec(message)?.[1] ?? null;
}

/** Runs `pacman-conf` with these arguments. */
type RunPacmanConf = (parameters: readonly string[]) => Promise<ProgramResult>;

/** Places of pacman-conf: Arch's and Debian's first, then what an administrator compiled. */
export const PACMAN_CONF_PLACES: readonly string[] = [
  "/usr/bin/pacman-conf",
  "/usr/local/bin/pacman-conf",
  "/opt/pacman/bin/pacman-conf",
];

/** A configuration is read in milliseconds; one on a network file system that hangs must not hang us. */
const MAX_RUN = 10_000;

/**
 * Finds pacman-conf. By fixed places and not by `PATH`, so that what may be run is known beforehand
 * and is nothing that a user's environment chose.
 *
 * @returns its absolute path; null when pacman is not installed.
 */
export function findPacmanConf(): string | null {
  for (const place of PACMAN_CONF_PLACES) {
    try {
      if (Deno.statSync(place).isFile) return place;
    } catch {
      // Not here, or not to be seen: the next place.
    }
  }
  return null;
}

/**
 * The function that runs the pacman-conf at `program`, which must be permitted (`--allow-run`).
 *
 * @param program as {@link findPacmanConf} gives it; with null every run fails and says why.
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
      // Its messages are read: in English, whatever the user's language. Nothing else is needed.
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
  // pacman-conf takes a directory for an empty configuration.
  if (await isDirectory(absolute)) {
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
 * Takes what pacman-conf prints apart. Directives that are not known (`DisableSandbox`…) are passed
 * over. Sections of the same name are one repository.
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
      section = sectionFor(header[1] ?? "", options, repositories);
      continue;
    }
    const separator = line.indexOf(" = ");
    if (separator < 0) continue;
    const key = line.slice(0, separator);
    const values = section.get(key) ?? [];
    values.push(line.slice(separator + 3));
    section.set(key, values);
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

function sectionFor(
  name: string,
  options: Directives,
  repositories: Map<string, Directives>,
): Directives {
  if (name === "options") return options;
  const known = repositories.get(name);
  if (known !== undefined) return known;
  const added: Directives = new Map();
  repositories.set(name, added);
  return added;
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
 * What pacman-conf says is wrong: its first `error:` line, which has the file and the line in it. It
 * may also have the address of a mirror in it, of which the credentials are left out.
 */
function reasonIn(result: ProgramResult): string {
  const stderr = result.stderr.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/]*@/gi, "$1");
  const lines = stderr.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const error = lines.find((line) => line.startsWith("error: "));
  // pacman 7.1 writes a quotation mark too many: error: 'failed to resolve path '/a'…
  if (error !== undefined) return error.replace(/^error: '?/, "").replace(/\.$/, "");
  return lines[0] ?? `pacman-conf ended with status ${result.status}`;
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    // A file that is missing or out of reach is pacman-conf's to report.
    return false;
  }
}

function withoutSlash(text: string): string {
  return text.replace(/(?<!^)\/+$/, "");
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
