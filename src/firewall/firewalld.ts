/** firewalld: rich rules in the zones that are in use, for this run of it only. */

import { Failure } from "../failure.ts";
import { networkText, type Opening, portsText } from "./openings.ts";
import type { Place } from "./chain.ts";
import { complaint, findProgram, runProgram } from "./programs.ts";

const PROGRAM = "firewall-cmd";

/** True when firewalld is installed and runs. */
export async function firewalldRuns(): Promise<boolean> {
  return findProgram(PROGRAM) !== null && (await runProgram(PROGRAM, ["--state"])).success;
}

/**
 * The zones that interfaces or sources are in, and the one for all others.
 *
 * @throws {Failure} when firewalld does not answer.
 */
export async function firewalldPlaces(): Promise<Place[]> {
  const standard = await ask(["--get-default-zone"]);
  const active = await ask(["--get-active-zones"]);
  return [...new Set([...zoneNames(standard), ...zoneNames(active)])].map(firewalldPlace);
}

/** One zone. */
export function firewalldPlace(zone: string): Place {
  const change = async (action: string, openings: readonly Opening[]): Promise<void> => {
    await ask([`--zone=${zone}`, ...openings.map((opening) => `${action}=${richRule(opening)}`)]);
  };
  return {
    name: { firewall: "firewalld", zone },
    marked: false,
    concerns: () => true,
    present: async (openings) => {
      // What is set for this run of firewalld goes when it goes.
      if (openings.length === 0 || !await firewalldRuns()) return [];
      const listed = await runProgram(PROGRAM, [`--zone=${zone}`, "--list-rich-rules"]);
      if (listed.errors.includes("INVALID_ZONE")) return [];
      if (!listed.success) throw new Failure(`${PROGRAM} shows no rules: ${complaint(listed)}`);
      const rules = new Set(listed.output.split("\n").map((line) => line.trim()));
      return openings.filter((opening) => rules.has(richRule(opening)));
    },
    add: async (openings) => await change("--add-rich-rule", openings),
    remove: async (openings) => await change("--remove-rich-rule", openings),
  };
}

/** The zones in the output of `firewall-cmd`: names stand at the begin of a line. */
export function zoneNames(output: string): string[] {
  return output.split("\n").flatMap((line) => /^[^\s]+/.exec(line)?.[0] ?? []);
}

/** An opening in firewalld's rich language, written exactly as firewalld itself prints it. */
export function richRule({ family, protocol, ports, source }: Opening): string {
  return [
    `rule family="ipv${family}"`,
    ...(source === null ? [] : [`source address="${networkText(source)}"`]),
    ports === null
      ? `protocol value="${protocol}"`
      : `port port="${portsText(ports, "-")}" protocol="${protocol}"`,
    "accept",
  ].join(" ");
}

async function ask(words: readonly string[]): Promise<string> {
  const outcome = await runProgram(PROGRAM, words);
  if (!outcome.success) throw new Failure(complaint(outcome));
  return outcome.output;
}
