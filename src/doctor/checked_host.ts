/** The host that the doctor examines. Facts that several checks need are collected once. */

import { Failure, messageOf } from "../failure.ts";
import { readText } from "../files.ts";
import { parseEnvironmentFile } from "../firewall/environment_file.ts";
import { PACSERVE_INCLUDE } from "../pacman/insert.ts";
import {
  findPacmanConf,
  pacmanConfRunner,
  parsePacmanConfiguration,
  printedConfiguration,
  signatureLevels,
} from "../pacman/read_configuration.ts";
import type { PacmanConfiguration } from "../pacman/configuration.ts";
import { serverAddresses } from "../pacman/server_addresses.ts";
import { type Answer, ask, isFromPacserve, isNotListening } from "../pacserve/ask.ts";
import { NoAnswer } from "../pacserve/relay/http_client.ts";
import { pause } from "../peers/datagrams.ts";
import { SELF_CHECK_FORMAT, type SelfCheck } from "../server/self_check.ts";
import { field } from "../json.ts";

/** The files that the doctor reads. */
interface CheckedPaths {
  /** pacman.conf. */
  readonly configuration: string;
  /** The file that names pacserve to pacman. */
  readonly addressFile: string;
  /** The settings of the service, and the rules of pacserve-ports. */
  readonly settings: string;
}

/** The paths of these files on Arch. */
const PATHS: CheckedPaths = {
  configuration: "/etc/pacman.conf",
  addressFile: PACSERVE_INCLUDE,
  settings: "/etc/conf.d/pacserve",
};

/** A running pacserve. */
export interface RunningService {
  /** The URL at which it answers: `http://localhost:15678`. */
  readonly address: URL;
  /** Its version; null if it does not report one. */
  readonly version: string | null;
  /** Its report about itself; null if its version has no report, or one in another format. */
  readonly report: SelfCheck | null;
}

/** The output of pacman-conf. */
interface PacmanFacts extends PacmanConfiguration {
  /** The words of the signature level of each repository. */
  readonly signatureLevels: ReadonlyMap<string, readonly string[]>;
}

/** The port of pacserve if the settings name no other. */
const DEFAULT_PORT = 15678;

/** The time limit for the server's report, in milliseconds. */
const REPORT_TIMEOUT = 6_000;

/** The time in which a new worker replaces another one, in milliseconds. */
const HANDOVER = 500;

/** The facts about this host, each collected when a check first needs it. */
export class CheckedHost {
  readonly paths: CheckedPaths;
  readonly #known = new Map<string, Promise<unknown>>();

  constructor(paths: CheckedPaths = PATHS) {
    this.paths = paths;
  }

  /**
   * Returns the settings of the service.
   *
   * @throws {Failure} when they cannot be read.
   */
  settings(): Promise<ReadonlyMap<string, string>> {
    return this.once("settings", async () => {
      return parseEnvironmentFile(await readText(this.paths.settings));
    });
  }

  /** Returns the port of the service from its settings, or else the default port. */
  async port(): Promise<number> {
    const settings = await this.settings().catch(() => new Map<string, string>());
    const words = settings.get("PACSERVE_ARGS") ?? "";
    const [, port] = /(?:^|\s)(?:--port(?:=|\s+)|-p\s*)["']?(\d{1,5})\b/.exec(words) ?? [];
    return port === undefined ? DEFAULT_PORT : Number(port);
  }

  /**
   * Returns the URLs in the file that names pacserve to pacman.
   *
   * @throws {Failure} when the file cannot be read.
   */
  addresses(): Promise<readonly URL[]> {
    return this.once("addresses", async () => {
      return serverAddresses(await readText(this.paths.addressFile));
    });
  }

  /** Returns the running pacserve; null when none answers at the expected addresses. */
  service(): Promise<RunningService | null> {
    return this.once("service", async () => {
      const named = await this.addresses().catch(() => []);
      const origins = [
        ...named.map(({ origin }) => origin),
        ...[await this.port(), DEFAULT_PORT].map((port) => `http://localhost:${port}`),
      ];
      const addresses = [...new Set(origins)].map((origin) => new URL(origin));
      const address = await firstPacserve(addresses) ??
        // While a new worker replaces another one, no process listens for a moment: try again.
        await pause(HANDOVER).then(() => firstPacserve(addresses));
      return address === null ? null : await examined(address);
    });
  }

  /**
   * Returns pacman.conf as pacman-conf reads it.
   *
   * @throws {Failure} when the file is invalid. {@link pacmanConf} throws the reason, which only one check
   * shows.
   */
  async pacman(): Promise<PacmanFacts> {
    try {
      return await this.pacmanConf();
    } catch (error) {
      throw new Failure("it needs a valid pacman.conf", { cause: error });
    }
  }

  /**
   * Like {@link pacman}.
   *
   * @throws {Failure} with the reason when the file is invalid; pacman could not use it either.
   */
  pacmanConf(): Promise<PacmanFacts> {
    return this.once("pacman.conf", async () => {
      const runner = pacmanConfRunner(findPacmanConf());
      const text = await printedConfiguration(this.paths.configuration, runner);
      return { ...parsePacmanConfiguration(text), signatureLevels: signatureLevels(text) };
    });
  }

  /** Runs `find` at the first call with this key; later calls get the same result. */
  once<T>(what: string, find: () => Promise<T>): Promise<T> {
    const known = this.#known.get(what);
    if (known !== undefined) return known as Promise<T>;
    const found = find();
    // Each check that uses the result handles the error.
    found.catch(() => {});
    this.#known.set(what, found);
    return found;
  }
}

/** Returns the first of these URLs at which a pacserve answers. */
async function firstPacserve(addresses: readonly URL[]): Promise<URL | null> {
  const answers = await Promise.all(addresses.map(isPacserve));
  return addresses.find((_, index) => answers[index] === true) ?? null;
}

/** True when a pacserve answers at a URL. */
async function isPacserve(address: URL): Promise<boolean> {
  try {
    return isFromPacserve(await ask(address, { method: "HEAD" }));
  } catch {
    return false;
  }
}

async function examined(address: URL): Promise<RunningService> {
  try {
    const { status, text } = await askForReport(address);
    const data: unknown = status === 200 ? JSON.parse(text) : null;
    const version = field(data, "version");
    return {
      address,
      version: typeof version === "string" ? version : null,
      report: field(data, "format") === SELF_CHECK_FORMAT ? data as SelfCheck : null,
    };
  } catch (error) {
    throw new Failure(`pacserve answers, but sends no report about itself: it ${messageOf(error)}`);
  }
}

async function askForReport(address: URL): Promise<Answer> {
  const question = { method: "POST" as const, target: "/?page=check", timeout: REPORT_TIMEOUT };
  try {
    return await ask(address, question);
  } catch (error) {
    // While a new worker replaces another one, new requests may be broken off: try again.
    if (!(error instanceof NoAnswer) && !isNotListening(error)) throw error;
    await pause(HANDOVER);
    return await ask(address, question);
  }
}
