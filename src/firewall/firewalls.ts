/** The firewalls that pacserve-ports knows, and which of their chains turn packets away here. */

import { Failure } from "../failure.ts";
import type { Chain, ChainName, Firewall } from "./chain.ts";
import { firewalld } from "./firewalld.ts";
import { iptables } from "./iptables.ts";
import { nftables } from "./nftables.ts";
import { valueWithoutComment } from "./rules.ts";

/** All firewalls, in the order in which `auto` looks at them. Another one is added here. */
const FIREWALLS: readonly Firewall[] = [firewalld, nftables, iptables];

/** What `PACSERVE_FIREWALL` says: the name of a firewall, `none`, or `auto`. */
export type FirewallSetting = Firewall | "auto" | "none";

/**
 * The firewall that the configuration names; `auto` if it names none.
 *
 * @throws {Failure} for any other value.
 */
export function firewallOf(values: ReadonlyMap<string, string>): FirewallSetting {
  const value = valueWithoutComment(values.get("PACSERVE_FIREWALL") ?? "") || "auto";
  if (value === "auto" || value === "none") return value;
  const firewall = FIREWALLS.find(({ name }) => name === value);
  if (firewall !== undefined) return firewall;
  const known = ["auto", ...FIREWALLS.map(({ name }) => name), "none"].join(", ");
  throw new Failure(`PACSERVE_FIREWALL: "${value}" is none of ${known}`);
}

/**
 * Finds the chains in which ports have to be opened. None: nothing has to be opened.
 *
 * `auto`: every chain that turns packets away, except those that another firewall keeps: where
 * firewalld runs, only its zones count, and the tables of iptables (which ufw uses) are no tables of
 * nftables.
 *
 * @throws {Failure} when the firewall that is named is not there, or one cannot be asked.
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
 * The chain of a name that was remembered.
 *
 * @throws {Failure} when no firewall has such chains.
 */
export function chainOf(name: ChainName): Chain {
  const chain = FIREWALLS.find((firewall) => firewall.name === name.firewall)?.chain(name) ?? null;
  if (chain === null) throw new Failure(`there is no such firewall: ${JSON.stringify(name)}`);
  return chain;
}
