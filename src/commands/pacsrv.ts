/**
 * The command `pacsrv`: runs pacman through pacserve if that answers.
 *
 * This prints the words of the final command line, with a NUL after each. The launcher executes them.
 * Users wait for this program each time, therefore it imports little. It needs no parser, because all
 * options are pacman's.
 */

import { Failure, messageOf } from "../failure.ts";
import { exists, readText } from "../files.ts";
import type { Log } from "../log.ts";
import { copyConfiguration, copyDirectory } from "../pacman/configuration_copy.ts";
import { PACSERVE_INCLUDE } from "../pacman/insert.ts";
import { chosenConfiguration, withConfiguration } from "../pacman/pacman_arguments.ts";
import { proxyExceptions } from "../pacman/proxy_environment.ts";
import { serverAddresses } from "../pacman/server_addresses.ts";
import { ask, isFromPacserve } from "../pacserve/ask.ts";
import { basename } from "../std.ts";

/**
 * The time limit in milliseconds. A pacserve on this host answers in one or two, and on a busy machine in
 * a few hundred. If none runs, the connection is refused at once.
 */
const ANSWER_TIMEOUT = 2_000;

/** The environment that pacsrv works in. */
export interface PacsrvSettings {
  /** pacman, or a program that takes its options. */
  readonly program: string;
  /** The file with the address of pacserve, which pacman.conf includes. */
  readonly addressFile: string;
  /** The configuration that pacman reads without `--config`. */
  readonly configuration: string;
  readonly user: number;
  /** The directory for copies of configurations; null to choose it by the environment. */
  readonly directory: string | null;
  /** False for a pacman older than 6.1, which warns of each `CacheServer` line. */
  readonly knowsCacheServer: boolean;
  readonly environment: Pick<Deno.Env, "get">;
  /** Shows warnings to the user. */
  readonly log: Pick<Log, "warn">;
}

/** The first version of libalpm that supports `CacheServer`: the one of pacman 6.1. */
const CACHE_SERVER_SINCE = 14;

/** The character with which Deno replaces bytes that are not UTF-8. */
const LOST_BYTES = "\ufffd";

/**
 * Prints the command line for the launcher.
 *
 * @throws {Failure} when an argument is not in UTF-8, and the output would differ from it. The launcher
 * still has the original arguments.
 */
export async function run(words: readonly string[]): Promise<number> {
  if (words.some((word) => word.includes(LOST_BYTES))) {
    throw new Failure("an argument is not in UTF-8");
  }
  const command = await pacmanCommand(words, {
    program: frontEnd(Deno.env.get("PACMAN")),
    addressFile: PACSERVE_INCLUDE,
    configuration: "/etc/pacman.conf",
    user: Deno.uid() ?? 0,
    directory: null,
    // The launcher asks pacman for its version. If it could not, assume a current one.
    knowsCacheServer: !(Number(Deno.env.get("LIBALPM") || NaN) < CACHE_SERVER_SINCE),
    environment: Deno.env,
    log: { warn: (message) => console.error(`pacsrv: ${message}`) },
  });
  let rest = new TextEncoder().encode(command.map((word) => `${word}\0`).join(""));
  while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
  return 0;
}

/**
 * Returns the program that `PACMAN` names. It ignores pacsrv itself, which would start itself for ever:
 * makepkg(8) reads the same variable, and users set it to pacsrv for that.
 */
export function frontEnd(variable: string | undefined): string {
  const own = variable === undefined || variable === "" || basename(variable) === "pacsrv";
  return own ? "pacman" : variable;
}

/**
 * Returns the command line that runs pacman: through pacserve if that answers, else with the given words
 * only. If pacserve cannot be used, this only warns, so that an upgrade never fails because of it.
 */
export async function pacmanCommand(
  words: readonly string[],
  settings: PacsrvSettings,
): Promise<string[]> {
  const plain = [settings.program, ...words];
  const { path, inSysroot } = chosenConfiguration(words);
  if (inSysroot) return plain;
  try {
    const addresses = serverAddresses(await readText(settings.addressFile));
    if (!await anyAnswers(addresses)) return plain;
    const configuration = path ?? settings.configuration;
    // If the configuration does not exist, let pacman report that.
    if (!await exists(configuration)) return plain;
    const { user, environment: variables } = settings;
    const directory = settings.directory ?? copyDirectory(user, {
      xdgCacheHome: variables.get("XDG_CACHE_HOME"),
      home: variables.get("HOME"),
    });
    const copy = await copyConfiguration(configuration, directory, user, {
      addressFile: settings.addressFile,
      cacheServers: settings.knowsCacheServer,
    });
    return [
      ...environment(addresses, settings),
      settings.program,
      ...withConfiguration(words, copy),
    ];
  } catch (error) {
    settings.log.warn(`running pacman without pacserve: ${messageOf(error)}`);
    return plain;
  }
}

/** Returns the beginning of a command line that sets variables: `env no_proxy=localhost`. */
function environment(addresses: readonly URL[], settings: PacsrvSettings): string[] {
  const hosts = [...new Set(addresses.map(hostWithoutBrackets))];
  const assignments = proxyExceptions(hosts, settings.environment);
  // env(1) would treat a program with "=" in its path as one more assignment.
  return assignments.length === 0 || settings.program.includes("=") ? [] : ["env", ...assignments];
}

function hostWithoutBrackets({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}

async function anyAnswers(addresses: readonly URL[]): Promise<boolean> {
  const answers = addresses.map((address) => pacserveAnswers(address, ANSWER_TIMEOUT));
  return (await Promise.all(answers)).includes(true);
}

/**
 * Checks that pacserve answers at an address and accepts requests from this host.
 *
 * @param timeout in milliseconds, after which the result is false.
 */
export async function pacserveAnswers(address: URL, timeout: number): Promise<boolean> {
  try {
    const headers = { "User-Agent": "pacsrv" };
    const answer = await ask(address, { method: "HEAD", headers, timeout });
    // If users must log in (401), requests for packages from this host need not.
    return isFromPacserve(answer) && (answer.status < 400 || answer.status === 401);
  } catch {
    return false;
  }
}
