/** `pacserve-ports`: opens what pacserve needs in the firewall, and closes it again. */

import { Failure, UsageError } from "../failure.ts";
import { readText } from "../files.ts";
import { parseEnvironmentFile } from "../firewall/environment_file.ts";
import type { Chain } from "../firewall/chain.ts";
import { findChains, firewallOf, type FirewallSetting } from "../firewall/firewalls.ts";
import { portsText } from "../firewall/openings.ts";
import { closePorts, openPorts, portsStatus } from "../firewall/ports.ts";
import { checkNames, type Rule, rulesOf } from "../firewall/rules.ts";
import { STATE_DIRECTORY } from "../firewall/state.ts";
import type { Command } from "./command.ts";
import { requestedInformation } from "./help.ts";
import { parseOptions } from "./parse.ts";

/** The file with the rules. */
const CONFIGURATION = "/etc/conf.d/pacserve";

/** Exit status of `status` when something is closed, as that of `systemctl status`. */
const NOT_OPEN = 3;

/** The table of the command. */
export const PACSERVE_PORTS: Command = {
  name: "pacserve-ports",
  section: 8,
  summary: "open and close the ports of pacserve in the firewall",
  description: [
    `Opens and closes what the rules in ${CONFIGURATION} name. The rules last until the next boot at ` +
    "the longest: nothing is changed on disk. Only root can do it.",
    "pacserve-ports.service opens the ports when pacserve starts and closes them when it stops.",
  ],
  positional: {
    metavariable: "open | close | status",
    help:
      "open (or start): open what the rules name and is not open, and close what was opened for " +
      "rules that are no longer there. close (or stop): close what was opened, and nothing else. " +
      "status: say for each rule whether it is open; exit with 3 if one is not.",
  },
  words: ["open", "close", "status"],
  groups: [{
    title: "Options",
    options: [{
      name: "config",
      values: ["<filepath>"],
      help: "The file with the rules.",
      default: CONFIGURATION,
      completes: "file",
    }],
  }],
  examples: [
    { command: "pacserve-ports open", explanation: "Open the ports by hand:" },
    { command: "pacserve-ports status", explanation: "See what is open, and in which firewall:" },
  ],
};

/**
 * Opens, closes, or shows what is open.
 *
 * @throws {Failure} when a rule is wrong or refused; it is named.
 */
export async function run(words: readonly string[]): Promise<number> {
  const options = parseOptions(PACSERVE_PORTS, words);
  const information = requestedInformation(PACSERVE_PORTS, options);
  if (information !== null) {
    console.log(information);
    return 0;
  }
  const [action, surplus] = options.positional;
  if (surplus !== undefined) throw new UsageError(`"${surplus}" is one word too many`);
  const path = options.value("config") ?? CONFIGURATION;
  switch (action) {
    case "open":
    case "start":
      requireRoot();
      return await open(path);
    case "close":
    case "stop":
      requireRoot();
      return await close();
    case "status":
      requireRoot();
      return await status(path);
    case undefined:
      throw new UsageError("say what to do: open, close or status");
    default:
      throw new UsageError(`"${action}" is none of open, close, status`);
  }
}

async function open(path: string): Promise<number> {
  const { firewall, rules, chains } = await readConfiguration(path);
  await openPorts(rules, chains, STATE_DIRECTORY);
  if (rules.length === 0) console.log(`${path} has no rules: nothing to open`);
  else if (chains.length === 0) console.log(nothingToOpen(firewall));
  else console.log(`opened in ${chainsText(chains)}: ${rules.map(ruleName).join(", ")}`);
  return 0;
}

async function close(): Promise<number> {
  const closed = await closePorts(STATE_DIRECTORY);
  console.log(closed === 0 ? "nothing was open" : "closed");
  return 0;
}

async function status(path: string): Promise<number> {
  const { firewall, rules, chains } = await readConfiguration(path);
  console.log(chains.length === 0 ? nothingToOpen(firewall) : `firewall: ${chainsText(chains)}`);
  // It is not known whether packets pass: no firewall was looked at.
  if (firewall === "none") return 0;
  let result = 0;
  for (const { rule, closed } of await portsStatus(rules, chains)) {
    console.log(`${ruleName(rule)}: ${closed.length === 0 ? "open" : "closed"}`);
    for (const one of closed) console.log(`  closed: ${one}`);
    if (closed.length > 0) result = NOT_OPEN;
  }
  return result;
}

/** Why there is nothing to open: only with `auto` was every firewall looked at. */
function nothingToOpen(firewall: FirewallSetting): string {
  if (firewall === "none") return "PACSERVE_FIREWALL is none: nothing is opened";
  const who = firewall === "auto" ? "no firewall turns" : `${firewall.name} does not turn`;
  return `${who} packets away: nothing has to be opened`;
}

/** What the file says, and where that is to be done. */
interface Configuration {
  readonly firewall: FirewallSetting;
  readonly rules: readonly Rule[];
  readonly chains: readonly Chain[];
}

async function readConfiguration(path: string): Promise<Configuration> {
  const values = parseEnvironmentFile(await readText(path));
  checkNames(values);
  const rules = rulesOf(values);
  const firewall = firewallOf(values);
  return { firewall, rules, chains: await findChains(firewall) };
}

function requireRoot(): void {
  if (Deno.uid() !== 0) throw new Failure("only root can see and change the firewall");
}

function chainsText(chains: readonly Chain[]): string {
  return chains.map(({ text }) => text).join(", ");
}

/** `PACSERVE_RULE_1 (tcp 15678)` */
function ruleName({ variable, protocol, ports }: Rule): string {
  const text = ports === null ? protocol : `${protocol} ${portsText(ports, "-")}`;
  return `${variable} (${text})`;
}
