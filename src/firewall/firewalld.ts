/** firewalld: rich rules in the active zones. They are lost when firewalld is restarted or reloaded. */

import { Failure } from "../failure.ts";
import { networkText, type Opening, portsText } from "./openings.ts";
import type { Chain, ChainName, Firewall } from "./chain.ts";
import { cannotList, findProgram, mustRun, runProgram } from "./programs.ts";

const PROGRAM = "firewall-cmd";

/** The firewall firewalld. While it runs, it manages the rules of all other firewalls. */
export const firewalld: Firewall = {
  name: "firewalld",
  chosen: async () => {
    if (!await isRunning()) {
      throw new Failure("PACSERVE_FIREWALL is firewalld, but firewalld is not running");
    }
    return await zones();
  },
  survey: async () =>
    await isRunning() ? { filtering: await zones(), keeps: "all" } : { filtering: [], keeps: [] },
  chain: ({ zone }) => zone === undefined ? null : new Zone(zone),
};

/** A zone of firewalld. */
class Zone implements Chain {
  readonly name: ChainName;
  readonly text: string;
  readonly marked = false;
  readonly #zone: string;

  constructor(zone: string) {
    this.name = { firewall: "firewalld", zone };
    this.text = `firewalld zone ${zone}`;
    this.#zone = zone;
  }

  concerns(): boolean {
    return true;
  }

  async present(openings: readonly Opening[]): Promise<readonly Opening[]> {
    // Our rules are not permanent: they are gone when firewalld has stopped.
    if (openings.length === 0 || !await isRunning()) return [];
    const listed = await runProgram(PROGRAM, [`--zone=${this.#zone}`, "--list-rich-rules"]);
    if (listed.errors.includes("INVALID_ZONE")) return [];
    if (!listed.success) throw cannotList(PROGRAM, listed);
    const rules = new Set(listed.output.split("\n").map((line) => line.trim()));
    return openings.filter((opening) => rules.has(richRule(opening)));
  }

  async add(openings: readonly Opening[]): Promise<void> {
    await this.#change("--add-rich-rule", openings);
  }

  async remove(openings: readonly Opening[]): Promise<void> {
    await this.#change("--remove-rich-rule", openings);
  }

  async #change(action: string, openings: readonly Opening[]): Promise<void> {
    const changes = openings.map((opening) => `${action}=${richRule(opening)}`);
    await mustRun(PROGRAM, [`--zone=${this.#zone}`, ...changes]);
  }
}

/** True when firewalld is installed and running. */
async function isRunning(): Promise<boolean> {
  return findProgram(PROGRAM) !== null && (await runProgram(PROGRAM, ["--state"])).success;
}

/**
 * The active zones, which have interfaces or sources, and the default zone.
 *
 * @throws {Failure} when firewalld does not answer.
 */
async function zones(): Promise<Zone[]> {
  const standard = await mustRun(PROGRAM, ["--get-default-zone"]);
  const active = await mustRun(PROGRAM, ["--get-active-zones"]);
  const names = new Set([...zoneNames(standard), ...zoneNames(active)]);
  return [...names].map((name) => new Zone(name));
}

/** The zones in the output of `firewall-cmd`, where the lines without indentation are their names. */
function zoneNames(output: string): string[] {
  return output.split("\n").flatMap((line) => /^[^\s]+/.exec(line)?.[0] ?? []);
}

/** An opening as a rich rule, written exactly as firewalld prints it. */
function richRule({ family, protocol, ports, source }: Opening): string {
  return [
    `rule family="ipv${family}"`,
    ...(source === null ? [] : [`source address="${networkText(source)}"`]),
    ports === null
      ? `protocol value="${protocol}"`
      : `port port="${portsText(ports, "-")}" protocol="${protocol}"`,
    "accept",
  ].join(" ");
}
