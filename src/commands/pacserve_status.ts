/** The command `pacserve-status`: gets the status of the pacserve on this machine and shows it. */

import { Failure, UsageError } from "../failure.ts";
import { writeOutput } from "../files.ts";
import { escapeJson, visibleText } from "../quickserve/pages/display.ts";
import { isFromPacserve } from "../pacserve/ask.ts";
import { isSnapshot } from "../status/form.ts";
import { field } from "../json.ts";
import { type Snapshot, SNAPSHOT_VERSION } from "../status/snapshot.ts";
import { statusText, TransferRates } from "../status/text.ts";
import { optionsUnlessHelp } from "./help.ts";
import { askPacserve, NotRunning, pacserveAddresses, serverValue } from "./pacserve_address.ts";
import { PACSERVE_STATUS, WATCH_INTERVAL } from "./pacserve_status_command.ts";
import type { ParsedOptions } from "./parse.ts";
import { terminalSize } from "./terminal.ts";
import { wrap } from "../wrap.ts";
import { watchScreen } from "./watch_screen.ts";

/** Exit status: pacserve works, something is wrong, or pacserve does not run. */
export const EXIT = { well: 0, wrong: 1, notRunning: 3 } as const;

/** The path and query at which pacserve gives its status. */
const TARGET = "/?page=status&mimetype=application/json";

/** Bounds of `--interval`, in seconds. */
const INTERVALS = { min: 0.1, max: 3600 };

/** How much of a refusal is shown, in characters. */
const MAX_REASON = 300;

/** The width in columns when the output is not a terminal. */
const WIDTH = Infinity;

/**
 * Shows the status.
 *
 * @returns 0 when all is well, 1 when something is wrong, 3 when pacserve does not run.
 * @throws {UsageError} for a wrong command line.
 * @throws {Failure} when the server that answers does not give the status of a pacserve.
 */
export async function run(words: readonly string[]): Promise<number> {
  const options = await optionsUnlessHelp(PACSERVE_STATUS, words);
  if (options === null) return EXIT.well;
  if (options.has("check")) {
    const wrong = ["watch", "interval"].find((name) => options.has(name));
    if (wrong !== undefined) throw new UsageError(`--check and --${wrong} exclude each other`);
    if (options.positional.length > 0) {
      throw new UsageError("--check takes no address: it checks this machine only");
    }
    const { runDoctor } = await import("../doctor/run.ts");
    const columns = Deno.stdout.isTerminal() ? terminalSize().columns : null;
    const { isColoured } = terminal();
    return await runDoctor({ json: options.has("json"), isColoured, columns });
  }
  // Only `--check` needs these permissions; it has returned above.
  for (const name of ["run", "sys"] as const) await Deno.permissions.revoke({ name });
  const [address, surplus] = options.positional;
  if (surplus !== undefined) {
    throw new UsageError(`only one address is expected; remove "${surplus}"`);
  }
  const isWatching = options.has("watch");
  if (isWatching && options.has("json")) {
    throw new UsageError("--watch and --json exclude each other");
  }
  if (isWatching && !Deno.stdout.isTerminal()) throw new UsageError("--watch needs a terminal");
  const interval = intervalOf(options);
  const addresses = address === undefined ? await pacserveAddresses() : [serverValue(address)];
  if (isWatching) return await watch(addresses, interval);
  try {
    const { snapshot, text } = await askForStatus(addresses);
    if (options.has("json")) await writeOutput(escapeJson(text));
    else await writeOutput(statusText(snapshot, terminal()));
    return exitStatus(snapshot);
  } catch (error) {
    if (!(error instanceof NotRunning)) throw error;
    console.error(`${PACSERVE_STATUS.name}: ${error.message}`);
    return EXIT.notRunning;
  }
}

function intervalOf(options: ParsedOptions): number {
  const text = options.value("interval");
  if (text === undefined) return WATCH_INTERVAL;
  if (!options.has("watch")) throw new UsageError("--interval changes nothing without --watch");
  const { min, max } = INTERVALS;
  const seconds = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= min && seconds <= max) return seconds;
  throw new UsageError(`--interval: "${text}" is not a number of seconds from ${min} to ${max}`);
}

/** Shows the status again and again until Ctrl-C. */
async function watch(addresses: readonly URL[], interval: number): Promise<number> {
  const rates = new TransferRates();
  let status: number = EXIT.well;
  let last = "";
  await watchScreen(interval * 1000, async () => {
    try {
      const { snapshot } = await askForStatus(addresses);
      rates.add(snapshot);
      status = exitStatus(snapshot);
      last = statusText(snapshot, { ...terminal(), rates: rates.recent });
    } catch (error) {
      // Keep trying after a failure: pacserve may just be restarting.
      if (!(error instanceof Failure)) throw error;
      status = error instanceof NotRunning ? EXIT.notRunning : EXIT.wrong;
      last = `${wrap(error.message, terminal().width).join("\n")}\n`;
    }
    return last;
  });
  await writeOutput(last);
  return status;
}

function exitStatus({ problems }: Snapshot): number {
  return problems.length === 0 ? EXIT.well : EXIT.wrong;
}

/** A status, and the JSON text that it was parsed from. */
interface Status {
  readonly snapshot: Snapshot;
  readonly text: string;
}

/**
 * Gets the status of pacserve.
 *
 * @throws {NotRunning} when no server listens at any of the addresses.
 * @throws {Failure} when the answer is not a status.
 */
export async function askForStatus(addresses: readonly URL[]): Promise<Status> {
  const answer = await askPacserve(addresses, TARGET);
  const { status, headers, text } = answer;
  const contentType = headers.get("content-type") ?? "";
  const where = addresses.map(({ origin }) => origin).join(" or ");
  if (!isFromPacserve(answer)) {
    throw new Failure(`the server at ${where} is not pacserve: another program uses its port`);
  }
  if (status === 403) {
    throw new Failure(
      `the pacserve at ${where} shows its status to its own machine only: ${
        visibleText(text.trim().slice(0, MAX_REASON))
      }`,
    );
  }
  const data = status === 200 && contentType.startsWith("application/json") ? parse(text) : null;
  const version = field(data, "version");
  if (version === undefined) {
    throw new Failure(
      `the pacserve at ${where} has no status: it is an older version, and perhaps was not ` +
        "restarted since the upgrade",
    );
  }
  if (version !== SNAPSHOT_VERSION) {
    throw new Failure(`the pacserve at ${where} has another version than this command: restart it`);
  }
  if (!isSnapshot(data)) {
    throw new Failure(`what the server at ${where} says is no status of a pacserve`);
  }
  return { snapshot: data, text };
}

/** Parses JSON, and escapes the invisible characters of its texts, which could control the terminal. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text, (_, value) => typeof value === "string" ? visibleText(value) : value);
  } catch {
    // Text that is not JSON is not a status.
    return null;
  }
}

/** Returns the width in columns and whether to use colours. */
function terminal(): { width: number; isColoured: boolean } {
  if (!Deno.stdout.isTerminal()) return { width: WIDTH, isColoured: false };
  return {
    width: terminalSize().columns,
    isColoured: !Deno.noColor && Deno.env.get("TERM") !== "dumb",
  };
}
