/**
 * `pacsrv`: pacman through pacserve, when that runs.
 *
 * This prints the final words of the command line, a NUL behind each; the launcher executes them.
 * Every user waits for it each time, so it imports little: no parser, for all options are pacman's.
 */

import { basename } from "node:path";
import { Failure, messageOf } from "../failure.ts";
import { exists, readText } from "../files.ts";
import type { Log } from "../log.ts";
import { copyConfiguration, copyDirectory } from "../pacman/configuration_copy.ts";
import { PACSERVE_INCLUDE } from "../pacman/insert.ts";
import { chosenConfiguration, withConfiguration } from "../pacman/pacman_arguments.ts";
import { directive, splitLines } from "../pacman/lines.ts";
import { proxyExceptions } from "../pacman/proxy_environment.ts";
import { pacserveAnswers } from "./pacserve_answers.ts";

/**
 * Milliseconds; a pacserve on this host answers in one or two, and on a machine that has much else to do
 * in some hundred. Where none runs, the connection is refused at once.
 */
const ANSWER_TIMEOUT = 2_000;

/** What surrounds pacsrv. */
export interface PacsrvSettings {
  /** pacman, or a program that takes its options. */
  readonly program: string;
  /** The file that names pacserve to pacman. */
  readonly addressFile: string;
  /** The configuration without `--config`. */
  readonly configuration: string;
  readonly user: number;
  /** Where the copies of configurations are; null: where the environment says. */
  readonly directory: string | null;
  /** False for a pacman older than 6.1, which warns of each `CacheServer` line. */
  readonly knowsCacheServer: boolean;
  readonly environment: Pick<Deno.Env, "get">;
  /** Shows lines to the user. */
  readonly log: Pick<Log, "warn">;
}

/** The first version of libalpm that knows `CacheServer`: that of pacman 6.1. */
const CACHE_SERVER_SINCE = 14;

/** What Deno puts in the place of bytes that are no UTF-8. */
const LOST_BYTES = "\ufffd";

/**
 * Prints the command line for the launcher.
 *
 * @throws {Failure} when it would print other words than it was given; the launcher has them still.
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
    // The launcher asks pacman. Where it could not, pacman is taken for a current one.
    knowsCacheServer: !(Number(Deno.env.get("LIBALPM") || NaN) < CACHE_SERVER_SINCE),
    environment: Deno.env,
    log: { warn: (message) => console.error(`pacsrv: ${message}`) },
  });
  let rest = new TextEncoder().encode(command.map((word) => `${word}\0`).join(""));
  while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
  return 0;
}

/**
 * The program that `PACMAN` names. makepkg(8) reads the same variable, so that it may well name
 * pacsrv: which would then start itself for ever.
 */
export function frontEnd(variable: string | undefined): string {
  const own = variable === undefined || variable === "" || basename(variable) === "pacsrv";
  return own ? "pacman" : variable;
}

/**
 * The command line that runs pacman: through pacserve when that answers, else as it was given. What
 * stands in the way of pacserve is a warning; an upgrade never fails of it.
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
    // pacman has words of its own for a configuration that is not there.
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

/**
 * The addresses of the `Server` and `CacheServer` lines of a file such as `/etc/pacman.d/pacserve`
 * (pacman.conf(5)), in order: scheme, host and port alone. Lines that hold no HTTP address are passed
 * over.
 *
 * `Server = http://localhost:15678/pacman/$repo/$arch` gives `http://localhost:15678`.
 */
export function serverAddresses(text: string): URL[] {
  const addresses = new Map<string, URL>();
  for (const { content } of splitLines(text)) {
    const { key, value } = directive(content) ?? { key: "", value: "" };
    if ((key !== "Server" && key !== "CacheServer") || !URL.canParse(value)) continue;
    const { origin, protocol } = new URL(value);
    if (protocol === "http:" || protocol === "https:") addresses.set(origin, new URL(origin));
  }
  return [...addresses.values()];
}

/** The beginning of a command line that sets variables: `env no_proxy=localhost`. */
function environment(addresses: readonly URL[], settings: PacsrvSettings): string[] {
  const hosts = [...new Set(addresses.map(hostWithoutBrackets))];
  const assignments = proxyExceptions(hosts, settings.environment);
  // env(1) would take the path of such a program for one more assignment.
  return assignments.length === 0 || settings.program.includes("=") ? [] : ["env", ...assignments];
}

function hostWithoutBrackets({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}

async function anyAnswers(addresses: readonly URL[]): Promise<boolean> {
  const answers = addresses.map((address) => pacserveAnswers(address, ANSWER_TIMEOUT));
  return (await Promise.all(answers)).includes(true);
}
