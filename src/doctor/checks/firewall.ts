/** Whether the firewall lets peers in. */

import { messageOf } from "../../failure.ts";
import type { Chain } from "../../firewall/chain.ts";
import { findChains, firewallOf } from "../../firewall/firewalls.ts";
import { portsStatus } from "../../firewall/ports.ts";
import { findProgram, runProgram } from "../../firewall/programs.ts";
import { portsText } from "../../firewall/openings.ts";
import { type Rule, rulesOf } from "../../firewall/rules.ts";
import { type Check, listed, NOT_RUNNING, unknown, well, wrong } from "../check.ts";
import type { RunningService } from "../checked_host.ts";

/** Seconds for which a peer that came in proves that they can. */
const PROVEN = 3_600;

/** `firewall`: peers come in, or nothing keeps them out. */
export const firewallCheck: Check = {
  name: "firewall",
  run: async (host) => {
    const service = await host.service();
    if (service === null) return NOT_RUNNING;
    const proof = proofOf(service);
    if (proof !== null) return well(proof);
    if (Deno.uid() !== 0) {
      return unknown("no peer has come in yet, and only root can read the firewall (sudo)");
    }
    const settings = await host.settings().catch(() => new Map<string, string>());
    const setting = firewallOf(settings);
    // With "none" nothing is opened, but something may be closed.
    const chains = await findChains(setting === "none" ? "auto" : setting).catch((error) => {
      return messageOf(error);
    });
    if (typeof chains === "string") return unknown(chains);
    if (chains.length === 0) return well("no firewall turns packets away");
    const rules = rulesOf(settings);
    const where = listed(chains.map(({ text }) => text));
    if (rules.length === 0) {
      return wrong(
        `${where} turns packets away, and ${host.paths.settings} has no rule of what to open`,
        `put the rules of the package's ${host.paths.settings} back, then pacserve-ports open`,
      );
    }
    const closed = (await portsStatus(rules, chains)).filter(({ closed }) => closed.length > 0);
    if (closed.length === 0) return well(`the ports are open in ${where}`);
    const port = service.address.port;
    if (await isNamed(port, chains)) {
      return unknown(
        `${where} turns packets away; a rule of your own names port ${port}, and whether it ` +
          "lets peers in is known when one has come",
      );
    }
    return wrong(
      `${where} turns packets away, and these are not opened there: ` +
        listed(closed.map(({ rule }) => ruleText(rule))),
      "systemctl enable --now pacserve-ports, or pacserve-ports open until the next boot",
    );
  },
};

/** `tcp 15678` */
function ruleText({ protocol, ports }: Rule): string {
  return ports === null ? protocol : `${protocol} ${portsText(ports, "-")}`;
}

/** A peer that came in, and announcements that came back, have passed the firewall. */
function proofOf({ report, address: { port } }: RunningService): string | null {
  const { visit = null, echoes = [] } = report ?? {};
  if (visit === null || visit.ago > PROVEN || echoes.some(({ heard }) => !heard)) return null;
  return `the peer ${visit.address} came in on port ${port} ${Math.round(visit.ago)} s ago`;
}

/** Whether a firewall has a rule with that port which lets packets in. */
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
