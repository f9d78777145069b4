/** The firewalls that pacserve-ports supports, and the chains on this machine that need openings. */

import { Failure } from "../failure.ts";
import type { Chain, ChainName, Firewall } from "./chain.ts";
import { firewalld } from "./firewalld.ts";
import { iptables } from "./iptables.ts";
import { nftables } from "./nftables.ts";
import { valueWithoutComment } from "./rules.ts";

/** All firewalls, in the order in which `auto` examines them. Add a new firewall here. */
const FIREWALLS: readonly Firewall[] = [firewalld, nftables, iptables];

/** The value of `PACSERVE_FIREWALL`: the name of a firewall, `none`, or `auto`. */
export type FirewallSetting = Firewall | "auto" | "none";

/**
 * The value of `PACSERVE_FIREWALL` in the configuration; `auto` by default.
 *
 * @throws {Failure} for any other value.
 */
export function firewallOf(values: ReadonlyMap<string, string>): FirewallSetting {
  const value = valueWithoutComment(values.get("PACSERVE_FIREWALL") ?? "") || "auto";
  if (value === "auto" || value === "none") return value;
  const firewall = FIREWALLS.find(({ name }) => name === value);
  if (firewall !== undefined) return firewall;
  const known = ["auto", ...FIREWALLS.map(({ name }) => name), "none"].join(", ");
  throw new Failure(`PACSERVE_FIREWALL: "${value}" is unknown; it must be one of ${known}`);
}

/**
 * Finds the chains in which ports must be opened; empty when nothing must be opened.
 *
 * With `auto` these are all chains that can drop or reject packets, except those that another firewall
 * manages: if firewalld is running, only its zones are returned; and tables that iptables manages
 * (which ufw uses) are returned as chains of iptables, not of nftables.
 *
 * @throws {Failure} when the chosen firewall is not installed or running, or a firewall cannot be
 * queried.
 */
export async function findChains(setting: FirewallSetting): Promise<readonly Chain[]> {
  if (setting === "none") return [];
  if (setting !== "auto") return await setting.chosen();
  const found: Chain[] = [];
  const kept = new Set<string>();
  for (const firewall of FIREWALLS) {
    const { filtering, keeps } = await firewall.survey();
    if (keeps === "all") return filtering;
    for (const text of keeps) kept.add(text);
    found.push(...filtering);
  }
  return found.filter(({ text }) => !kept.has(text));
}

/**
 * The chain with a stored name.
 *
 * @throws {Failure} when no firewall has such chains.
 */
export function chainOf(name: ChainName): Chain {
  const chain = FIREWALLS.find((firewall) => firewall.name === name.firewall)?.chain(name) ?? null;
  if (chain === null) {
    throw new Failure(`the firewall of this chain is unknown: ${JSON.stringify(name)}`);
  }
  return chain;
}
