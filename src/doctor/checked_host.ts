/** The host that the doctor looks at: what several checks need is found out once. */

import { Failure } from "../failure.ts";
import { readText } from "../files.ts";
import { parseEnvironmentFile } from "../firewall/environment_file.ts";
import { type Answer, ask, isNobody, reasonOf } from "../http/ask.ts";
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
import { serverHeader } from "../peers/announcement.ts";
import { pause } from "../peers/datagrams.ts";
import { SELF_CHECK_FORMAT, type SelfCheck } from "../server/self_check.ts";
import { field } from "../status/traffic.ts";

/** Files that are read. */
export interface CheckedPaths {
  /** pacman.conf. */
  readonly configuration: string;
  /** The file that names pacserve to pacman. */
  readonly addressFile: string;
  /** The settings of the service, and the rules of pacserve-ports. */
  readonly settings: string;
}

/** Where Arch has them. */
export const PATHS: CheckedPaths = {
  configuration: "/etc/pacman.conf",
  addressFile: PACSERVE_INCLUDE,
  settings: "/etc/conf.d/pacserve",
};

/** A pacserve that answers. */
export interface RunningService {
  /** Where it answers: `http://localhost:15678`. */
  readonly address: URL;
  /** Null for one that does not say. */
  readonly version: string | null;
  /** What it says of itself; null for a version that says it in another form, or not at all. */
  readonly report: SelfCheck | null;
}

/** What pacman-conf says. */
export interface PacmanFacts extends PacmanConfiguration {
  /** The words of the signature level of each repository. */
  readonly signatureLevels: ReadonlyMap<string, readonly string[]>;
}

/** Where pacserve is where nothing says otherwise. */
const DEFAULT_PORT = 15678;

/** Milliseconds for the server to try itself. */
const REPORT_TIMEOUT = 6_000;

/** Milliseconds that a worker has to take the place of another one. */
const HANDOVER = 500;

/** The beginning of how a pacserve of any version names itself. */
const SERVER = serverHeader("pacserve").replace(/\/.*/, "/");

/** This host. */
export class CheckedHost {
  readonly paths: CheckedPaths;
  readonly #known = new Map<string, Promise<unknown>>();

  constructor(paths: CheckedPaths = PATHS) {
    this.paths = paths;
  }

  /**
   * What the settings of the service say.
   *
   * @throws {Failure} where they cannot be read.
   */
  settings(): Promise<ReadonlyMap<string, string>> {
    return this.once("settings", async () => {
      return parseEnvironmentFile(await readText(this.paths.settings));
    });
  }

  /** The port on which the service should be: by its settings, else that of all others. */
  async port(): Promise<number> {
    const settings = await this.settings().catch(() => new Map<string, string>());
    const words = settings.get("PACSERVE_ARGS") ?? "";
    const [, port] = /(?:^|\s)(?:--port(?:=|\s+)|-p\s*)["']?(\d{1,5})\b/.exec(words) ?? [];
    return port === undefined ? DEFAULT_PORT : Number(port);
  }

  /**
   * The addresses in the file that names pacserve to pacman.
   *
   * @throws {Failure} when it cannot be read.
   */
  addresses(): Promise<readonly URL[]> {
    return this.once("addresses", async () => {
      return serverAddresses(await readText(this.paths.addressFile));
    });
  }

  /** The running pacserve; null when none answers where it should. */
  service(): Promise<RunningService | null> {
    return this.once("service", async () => {
      const named = await this.addresses().catch(() => []);
      const origins = [
        ...named.map(({ origin }) => origin),
        ...[await this.port(), DEFAULT_PORT].map((port) => `http://localhost:${port}`),
      ];
      const addresses = [...new Set(origins)].map((origin) => new URL(origin));
      const address = await firstPacserve(addresses) ??
        // While a worker takes the place of another one, nobody listens for a moment.
        await pause(HANDOVER).then(() => firstPacserve(addresses));
      return address === null ? null : await examined(address);
    });
  }

  /**
   * What pacman-conf says of pacman.conf.
   *
   * @throws {Failure} when pacman could not use it either.
   */
  pacman(): Promise<PacmanFacts> {
    return this.once("pacman", async () => {
      const runner = pacmanConfRunner(findPacmanConf());
      const text = await printedConfiguration(this.paths.configuration, runner);
      return { ...parsePacmanConfiguration(text), signatureLevels: signatureLevels(text) };
    });
  }

  /** Finds something out for several checks, the first time that one of them asks. */
  once<T>(what: string, find: () => Promise<T>): Promise<T> {
    const known = this.#known.get(what);
    if (known !== undefined) return known as Promise<T>;
    const found = find();
    // Each check that asks handles the failure.
    found.catch(() => {});
    this.#known.set(what, found);
    return found;
  }
}

/** The first of these addresses at which a pacserve answers. */
async function firstPacserve(addresses: readonly URL[]): Promise<URL | null> {
  const answers = await Promise.all(addresses.map(isPacserve));
  return addresses.find((_, index) => answers[index] === true) ?? null;
}

/** Whether a pacserve answers there. */
async function isPacserve(address: URL): Promise<boolean> {
  try {
    const { headers } = await ask(address, { method: "HEAD" });
    return (headers.get("server") ?? "").startsWith(SERVER);
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
    throw new Failure(`pacserve answers, but does not say how it is: ${reasonOf(error)}`);
  }
}

async function askForReport(address: URL): Promise<Answer> {
  const question = { method: "POST" as const, target: "/?page=check", timeout: REPORT_TIMEOUT };
  try {
    return await ask(address, question);
  } catch (error) {
    // A worker that takes the place of another one breaks off what has just come in.
    if (!(error instanceof Deno.errors.ConnectionReset) && !isNobody(error)) throw error;
    await pause(HANDOVER);
    return await ask(address, question);
  }
}
