/** Checks that the firewall admits peers. */

import { messageOf } from "../../failure.ts";
import type { Chain } from "../../firewall/chain.ts";
import { findChains, firewallOf } from "../../firewall/firewalls.ts";
import { portsStatus } from "../../firewall/ports.ts";
import { findProgram, runProgram } from "../../firewall/programs.ts";
import { portsText } from "../../firewall/openings.ts";
import { type Rule, rulesOf } from "../../firewall/rules.ts";
import { type Check, listed, NOT_RUNNING, unknown, well, wrong } from "../check.ts";
import type { RunningService } from "../checked_host.ts";

/** Seconds after a peer's connection during which it proves that the firewall admits peers. */
const PROVEN = 3_600;

/** `firewall`: peers can connect. */
export const firewallCheck: Check = {
  name: "firewall",
  run: async (host) => {
    const service = await host.service();
    if (service === null) return NOT_RUNNING;
    const proof = proofOf(service);
    if (proof !== null) return well(proof);
    if (Deno.uid() !== 0) {
      return unknown("no peer has connected yet, and only root can read the firewall: use sudo");
    }
    const settings = await host.settings().catch(() => new Map<string, string>());
    const setting = firewallOf(settings);
    // With "none", pacserve opens no port, but a firewall may still block packets.
    const chains = await findChains(setting === "none" ? "auto" : setting).catch((error) => {
      return messageOf(error);
    });
    if (typeof chains === "string") return unknown(chains);
    if (chains.length === 0) return well("no firewall blocks packets");
    const rules = rulesOf(settings);
    const where = listed(chains.map(({ text }) => text));
    if (rules.length === 0) {
      return wrong(
        `${where} blocks packets, and ${host.paths.settings} has no rules for opening ports`,
        `restore the rules in ${host.paths.settings} from the package, then run pacserve-ports open`,
      );
    }
    const closed = (await portsStatus(rules, chains)).filter(({ closed }) => closed.length > 0);
    if (closed.length === 0) return well(`the ports are open in ${where}`);
    const port = service.address.port;
    if (await isNamed(port, chains)) {
      return unknown(
        `${where} blocks packets; a rule of your own names port ${port}, and this check cannot ` +
          "tell if the rule admits peers until one has connected",
      );
    }
    return wrong(
      `${where} blocks packets, and these ports are not open in it: ` +
        listed(closed.map(({ rule }) => ruleText(rule))),
      "systemctl enable --now pacserve-ports, or pacserve-ports open until the next boot",
    );
  },
};

/** Formats the ports of a rule: `tcp 15678`. */
function ruleText({ protocol, ports }: Rule): string {
  return ports === null ? protocol : `${protocol} ${portsText(ports, "-")}`;
}

/** Returns the proof that the firewall admits peers: a peer connected, and announcements came back. */
function proofOf({ report, address: { port } }: RunningService): string | null {
  const { visit = null, echoes = [] } = report ?? {};
  if (visit === null || visit.ago > PROVEN || echoes.some(({ heard }) => !heard)) return null;
  return `the peer ${visit.address} connected to port ${port} ${Math.round(visit.ago)} s ago`;
}

/** True when a firewall has a rule that names the port and accepts packets. */
async function isNamed(port: string, chains: readonly Chain[]): Promise<boolean> {
  const firewalls = new Set(chains.map(({ name }) => name.firewall));
  const commands: string[][] = [
    ...(firewalls.has("nftables") ? [["nft", "list", "ruleset"]] : []),
    ...(firewalls.has("iptables") ? [["iptables", "-S"], ["ip6tables", "-S"]] : []),
    ...(firewalls.has("firewalld") ? [["firewall-cmd", "--list-all-zones"]] : []),
  ];
  const rule = new RegExp(`\\b${port}\\b`);
  for (const [name = "", ...words] of commands) {
    if (findProgram(name) === null) continue;
    const { output } = await runProgram(name, words);
    const lines = output.split("\n").filter((line) => !line.includes("pacserve-ports"));
    if (lines.some((line) => rule.test(line) && /accept|ports:/i.test(line))) return true;
  }
  return false;
}
