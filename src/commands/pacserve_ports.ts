/** The command `pacserve-ports`: opens the ports of pacserve in the firewall, and closes them again. */

import { Failure, UsageError } from "../failure.ts";
import { readText, writeOutput } from "../files.ts";
import { parseEnvironmentFile } from "../firewall/environment_file.ts";
import type { Chain } from "../firewall/chain.ts";
import { findChains, firewallOf, type FirewallSetting } from "../firewall/firewalls.ts";
import { portsText } from "../firewall/openings.ts";
import { closePorts, openPorts, portsStatus } from "../firewall/ports.ts";
import { checkNames, type Rule, rulesOf } from "../firewall/rules.ts";
import { STATE_DIRECTORY } from "../firewall/state.ts";
import type { Command } from "./command.ts";
import { optionsUnlessHelp } from "./help.ts";

/** The file with the rules. */
const CONFIGURATION = "/etc/conf.d/pacserve";

/** Exit status of `status` when a port is closed: the same as of `systemctl status` for an inactive unit. */
const NOT_OPEN = 3;

/** The table of the command. */
export const PACSERVE_PORTS: Command = {
  name: "pacserve-ports",
  section: 8,
  summary: "open and close the ports of pacserve in the firewall",
  description: [
    `Opens and closes the ports of the rules in ${CONFIGURATION}. They stay open until the next boot at ` +
    "the longest, because nothing is changed on disk. Only root can do this.",
    "pacserve-ports.service opens the ports when pacserve starts and closes them when it stops.",
  ],
  positional: {
    metavariable: "open | close | status",
    help:
      "open (or start): open the ports of the rules that are not open yet, and close those that were " +
      "opened for rules that have been removed. close (or stop): close the ports that this command opened, " +
      "and no others. status: show for each rule whether its ports are open; exit with 3 if some are not.",
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
 * Opens or closes the ports, or shows which are open.
 *
 * @throws {Failure} when a rule is wrong or the firewall refuses it. The message names the rule.
 */
export async function run(words: readonly string[]): Promise<number> {
  const options = await optionsUnlessHelp(PACSERVE_PORTS, words);
  if (options === null) return 0;
  const [action, surplus] = options.positional;
  if (surplus !== undefined) throw new UsageError(`only one word is expected; remove "${surplus}"`);
  const path = options.value("config") ?? CONFIGURATION;
  if (action === undefined) throw new UsageError("say what to do: open, close or status");
  const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (act === undefined) throw new UsageError(`"${action}" is not one of open, close, status`);
  if (Deno.uid() !== 0) throw new Failure("only root can see and change the firewall");
  return await act(path);
}

/** What the words do; each returns the exit status. */
const ACTIONS: Readonly<Record<string, (path: string) => Promise<number>>> = {
  open,
  start: open,
  close,
  stop: close,
  status,
};

async function open(path: string): Promise<number> {
  const { firewall, rules, chains } = await readConfiguration(path);
  await openPorts(rules, chains, STATE_DIRECTORY);
  if (rules.length === 0) await say(`${path} has no rules, so nothing was opened`);
  else if (chains.length === 0) await say(nothingToOpen(firewall));
  else await say(`opened in ${chainsText(chains)}: ${rules.map(ruleName).join(", ")}`);
  return 0;
}

async function close(): Promise<number> {
  const closed = await closePorts(STATE_DIRECTORY);
  await say(closed === 0 ? "nothing was open" : "closed");
  return 0;
}

async function status(path: string): Promise<number> {
  const { firewall, rules, chains } = await readConfiguration(path);
  await say(chains.length === 0 ? nothingToOpen(firewall) : `firewall: ${chainsText(chains)}`);
  // Print nothing about ports: no firewall was checked, so we cannot tell whether packets pass.
  if (firewall === "none") return 0;
  let result = 0;
  for (const { rule, closed } of await portsStatus(rules, chains)) {
    await say(`${ruleName(rule)}: ${closed.length === 0 ? "open" : "closed"}`);
    for (const one of closed) await say(`  closed: ${one}`);
    if (closed.length > 0) result = NOT_OPEN;
  }
  return result;
}

/** Prints a line. */
function say(line: string): Promise<void> {
  return writeOutput(`${line}\n`);
}

/** Returns the reason why there is nothing to open. Only with `auto` was every firewall checked. */
function nothingToOpen(firewall: FirewallSetting): string {
  if (firewall === "none") return "PACSERVE_FIREWALL is none: nothing is opened";
  const who = firewall === "auto" ? "no firewall blocks" : `${firewall.name} does not block`;
  return `${who} packets: nothing has to be opened`;
}

/** The rules of the file, and the chains of the firewall that they are for. */
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

function chainsText(chains: readonly Chain[]): string {
  return chains.map(({ text }) => text).join(", ");
}

/** Returns a rule in the form `PACSERVE_RULE_1 (tcp 15678)`. */
function ruleName({ variable, protocol, ports }: Rule): string {
  const text = ports === null ? protocol : `${protocol} ${portsText(ports, "-")}`;
  return `${variable} (${text})`;
}
